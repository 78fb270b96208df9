/**
 * Brings a snapshot up beside the running one. A plugin that did not change goes on as it is; one that
 * runs here and changed is started first and takes over only when it is up; one that refuses leaves its
 * last good version running. What this isolate does not run is started by the first request that needs it.
 */
import type { ActivationReport, PluginActivation, RequestScope } from '../config/activation.ts'
import type { PluginId, Snapshot, SnapshotPlugin } from '../config/snapshot.ts'
import { canonicalJson } from '../config/canonical.ts'
import {
  describeError,
  type IoContext,
  LoadError,
  Plugin,
  runIn,
  type VmPool,
  vmKey,
} from '../proxy-wasm/index.ts'
import type { Meters } from './meters.ts'
import type { ModuleSource } from './modules.ts'
import { toPluginSpec } from './plugin-spec.ts'
import { Running } from './running.ts'
import type { Reachable } from './upstream.ts'

export interface ActivatorOptions {
  readonly modules: ModuleSource
  readonly pool: VmPool
  readonly reachable: Reachable
  readonly meters: Meters
  /** Which plugins of a snapshot run here. */
  readonly runs: (plugin: SnapshotPlugin) => boolean
}

interface Held {
  readonly plugin: Plugin
  /** Everything that makes it what it is: the same text means the same plugin. */
  readonly identity: string
}

export class Activator {
  readonly #options: ActivatorOptions
  #held: ReadonlyMap<PluginId, Held> = new Map()
  #running: Running | undefined
  /** Activations that have begun, and the latest that has come to its end. */
  #begun = 0
  #ended = 0

  constructor(options: ActivatorOptions) {
    this.#options = options
  }

  /** What runs now. */
  get running(): Running | undefined {
    return this.#running
  }

  /** @see Activate in config/activation.ts */
  async activate(snapshot: Snapshot, scope: RequestScope): Promise<ActivationReport<Running>> {
    const io: IoContext = { waitUntil: (promise) => scope.waitUntil(promise), gone: false }
    const turn = ++this.#begun
    const plugins: PluginActivation[] = []
    const next = new Map<PluginId, Held>()
    for (const config of Object.values(snapshot.plugins).filter(this.#options.runs)) {
      const { held, ...activation } = await this.#bringUp(config, io)
      plugins.push(activation)
      if (held) next.set(config.id, held)
    }
    const handles = new Map([...next].map(([id, { plugin }]) => [id, plugin]))
    const { reachable, meters } = this.#options
    const running = new Running(snapshot, handles, reachable, meters)
    if (turn < this.#ended) {
      // overtaken by one that began later: what that one brought up stays, this one goes unused
      this.#retire(io, next, this.#held)
      return { running, plugins }
    }
    this.#ended = turn
    const before = this.#held
    this.#held = next
    this.#running = running
    this.#retire(io, before, next)
    return { running, plugins }
  }

  /** Retires what `kept` does not have. Streams in flight keep their root context to their end. */
  #retire(
    io: IoContext,
    plugins: ReadonlyMap<PluginId, Held>,
    kept: ReadonlyMap<PluginId, Held>,
  ): void {
    runIn(io, () => {
      for (const [id, { plugin }] of plugins) {
        if (kept.get(id)?.plugin !== plugin) plugin.retire()
      }
    })
  }

  async #bringUp(
    config: SnapshotPlugin,
    io: IoContext,
  ): Promise<PluginActivation & { readonly held: Held | undefined }> {
    const plugin = config.id
    const identity = identityOf(config)
    const before = this.#held.get(plugin)
    if (before?.identity === identity) return { plugin, outcome: 'unchanged', held: before }
    try {
      const runsHere = before?.plugin.state === 'running'
      const fresh = await this.#make(config, runsHere ? undefined : await this.#lastGood(config))
      if (!runsHere) {
        return { plugin, outcome: 'deferred', held: { plugin: fresh, identity } }
      }
      runIn(io, () => fresh.start())
      return { plugin, outcome: 'swapped', held: { plugin: fresh, identity } }
    } catch (error) {
      const reason = describeError(error)
      const code = error instanceof LoadError ? error.code : 'plugin.not_activated'
      // the version before goes on under its own identity, so the next snapshot is compared with it
      if (before) return { plugin, outcome: 'last-good', code, reason, held: before }
      const lastGood = await this.#lastGood(config).catch(() => undefined)
      const held = lastGood && { plugin: lastGood, identity }
      return { plugin, outcome: held ? 'last-good' : 'failed', code, reason, held }
    }
  }

  async #make(config: SnapshotPlugin, fallback: Plugin | undefined): Promise<Plugin> {
    const { modules, pool } = this.#options
    const module = modules.load(config.module)
    if (module === undefined) {
      throw new LoadError(
        'module.not_bound',
        `${config.id}: no module ${config.module} is bound here; deploy it first`,
      )
    }
    const spec = toPluginSpec(config, module)
    return new Plugin(spec, await vmKey(spec), pool, fallback)
  }

  /** What runs when the plugin turns out not to start: the version that the snapshot names for that. */
  async #lastGood(config: SnapshotPlugin): Promise<Plugin | undefined> {
    const { lastGood } = config
    return lastGood && this.#make({ ...config, ...lastGood }, undefined)
  }
}

/** What the module is called and what would run in its place do not make it another plugin. */
const NOT_IDENTITY: ReadonlySet<string> = new Set(['lastGood', 'moduleName', 'moduleVersion'])

function identityOf(config: SnapshotPlugin): string {
  return canonicalJson(
    Object.fromEntries(Object.entries(config).filter(([field]) => !NOT_IDENTITY.has(field))),
  )
}
