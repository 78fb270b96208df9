/**
 * Brings a snapshot up beside the running one. A plugin that did not change goes on as it is; one that
 * runs here and changed is started first and takes over only when it is up; one that refuses leaves its
 * last good version running. What this isolate does not run is started by the first request that needs it.
 */
import type {
  ActivationReport,
  PluginActivation,
  ReportLate,
  RequestScope,
} from '../config/activation.ts'
import { canonicalJson } from '../config/canonical.ts'
import { countedPlugins } from '../config/counted-plugins.ts'
import type { PluginId, Snapshot, SnapshotPlugin } from '../config/snapshot.ts'
import { type IoContext, type Plugin, runIn, type VmPool } from '../proxy-wasm/index.ts'
import { notRunning, PluginMaker } from './bring-up.ts'
import type { Meters } from './meters.ts'
import type { ModuleSource } from './modules.ts'
import { type GatewayNode, isSelected } from './node.ts'
import { candidates } from './candidates.ts'
import { RolloutSides } from './rollout-sides.ts'
import type { RolloutWeights } from './rollout-weights.ts'
import { Running } from './running.ts'
import type { Reachable } from './upstream.ts'

export interface ActivatorOptions {
  readonly modules: ModuleSource
  readonly pool: VmPool
  readonly reachable: Reachable
  readonly meters: Meters
  /** The node this is: its labels, and what it gives to plugins. */
  readonly node: GatewayNode
  /** Which plugins of a snapshot run here. */
  readonly runs: (plugin: SnapshotPlugin) => boolean
  /** Absent: no candidate runs here. */
  readonly weights?: RolloutWeights
  /** Whose host calls are counted; absent: those by which rollouts compare. */
  readonly counted?: ReadonlySet<PluginId>
}

interface Held {
  readonly plugin: Plugin
  /** Everything that makes it what it is: the same text means the same plugin. */
  readonly identity: string
}

interface ToBring {
  readonly id: PluginId
  readonly config: SnapshotPlugin
  /** Its host calls are, and its metrics, for each stream. */
  readonly counted: boolean
}

type AllHeld = ReadonlyMap<PluginId, Held>

export class Activator {
  readonly #options: ActivatorOptions
  readonly #maker: PluginMaker
  #held: AllHeld = new Map()
  #running: Running | undefined
  #late: ReportLate = () => undefined
  /** Activations that have begun, and the latest that has come to its end. */
  #begun = 0
  #ended = 0

  constructor(options: ActivatorOptions) {
    this.#options = options
    this.#maker = new PluginMaker(options.modules, options.pool, options.node)
  }

  /** What runs now. */
  get running(): Running | undefined {
    return this.#running
  }

  /** @see Activate in config/activation.ts */
  async activate(
    snapshot: Snapshot,
    scope: RequestScope,
    late: ReportLate,
  ): Promise<ActivationReport<Running>> {
    const io: IoContext = { waitUntil: (promise) => scope.waitUntil(promise), gone: false }
    const turn = ++this.#begun
    for (;;) {
      const before = this.#held
      const { next, plugins } = await this.#bringUpAll(snapshot, before, io)
      let running: Running
      try {
        running = this.#run(snapshot, next)
      } catch (error) {
        this.#retire(io, next, this.#held)
        throw error
      }
      if (turn >= this.#ended && this.#held === before) {
        this.#ended = turn
        this.#held = next
        this.#running = running
        this.#late = late
        this.#retire(io, before, next)
        return { running, plugins }
      }
      // another one has come to its end meanwhile: what this one brought up is beside the wrong plugins
      this.#retire(io, next, this.#held, before)
      if (turn < this.#ended) return { running, plugins }
    }
  }

  #run(snapshot: Snapshot, held: AllHeld): Running {
    const plugins = new Map([...held].map(([id, { plugin }]) => [id, plugin]))
    const { reachable, meters, node, weights } = this.#options
    const sides = weights && RolloutSides.of(snapshot, plugins, node.labels, weights, meters)
    return new Running(snapshot, plugins, reachable, meters, sides)
  }

  /** Retires what none of `kept` has. Streams in flight keep their root context to their end. */
  #retire(io: IoContext, plugins: AllHeld, ...kept: readonly AllHeld[]): void {
    // under another name, too: a candidate may have become its plugin
    const stays = new Set(kept.flatMap((one) => [...one.values()].map(({ plugin }) => plugin)))
    runIn(io, () => {
      for (const { plugin } of plugins.values()) {
        if (!stays.has(plugin)) plugin.retire()
      }
    })
  }

  async #bringUpAll(
    snapshot: Snapshot,
    before: AllHeld,
    io: IoContext,
  ): Promise<{ readonly next: AllHeld; readonly plugins: readonly PluginActivation[] }> {
    const plugins: PluginActivation[] = []
    const next = new Map<PluginId, Held>()
    const { runs, node, weights } = this.#options
    const others = weights === undefined ? [] : candidates(snapshot, node)
    const own = weights === undefined ? undefined : countedPlugins(snapshot)
    const counted = this.#options.counted ?? own
    for (const [id, config] of [...Object.entries(snapshot.plugins), ...others]) {
      if (!runs(config) || !isSelected(config, node)) continue
      const counts = counted?.has(config.id) === true
      const { held, ...activation } = await this.#bringUp(
        { id, config, counted: counts },
        before,
        io,
      )
      plugins.push(activation)
      next.set(id, held)
    }
    return { next, plugins }
  }

  async #bringUp(
    { id: plugin, config, counted }: ToBring,
    all: AllHeld,
    io: IoContext,
  ): Promise<PluginActivation & { readonly held: Held }> {
    // what is to be counted is linked otherwise, in a vm of its own
    const identity = identityOf(config) + (counted ? COUNTED : '')
    const before = all.get(plugin)
    if (before?.identity === identity) return { plugin, ...stillThere(before.plugin), held: before }
    const side = plugin === config.id ? 'stable' : 'candidate'
    const { plugin: fresh, missing } = await this.#maker.make(
      config,
      (why) => this.#late({ plugin, ...why }),
      { side, counted },
    )
    const held = { plugin: fresh, identity }
    const promoted = side === 'stable' ? promotedTo(identity, plugin, all) : undefined
    const runsHere = [before, promoted].some((one) => one && RUNS.has(one.plugin.state))
    if (!runsHere && missing === undefined) return { plugin, outcome: 'deferred', held }
    try {
      runIn(io, () => fresh.start())
      return { plugin, outcome: 'swapped', held }
    } catch (error) {
      // the candidate that it was until now goes on rather than what it has replaced
      if (promoted) return { plugin, ...notRunning('last-good', error), held: promoted }
      // the version before goes on under its own identity, so the next snapshot is compared with it
      // nor does one in another mode stand in: what is to be enforced would look as if it were
      const sameMode = before?.plugin.spec.logOnly?.callouts === fresh.spec.logOnly?.callouts
      // nor a candidate of before: weights are meant for one, and the stable version is in its place
      if (before && side === 'stable' && sameMode && serves(before.plugin)) {
        return { plugin, ...notRunning('last-good', error), held: before }
      }
      const outcome = fresh.state === 'last-good' ? 'last-good' : 'failed'
      return { plugin, ...notRunning(outcome, error), held }
    }
  }
}

const RUNS: ReadonlySet<Plugin['state']> = new Set(['running', 'last-good'])

/** Behind the identity of a plugin whose host calls are counted, as they are while it has a rollout. */
const COUNTED = ' counted'

/** The candidate that a plugin has become, where it runs. */
function promotedTo(identity: string, id: PluginId, all: AllHeld): Held | undefined {
  const names: ReadonlySet<string> = new Set([identity, identity + COUNTED])
  const same = [...all].find(([name, held]) => name !== id && names.has(held.identity))
  return same?.[1].plugin.state === 'running' ? same[1] : undefined
}

/** Whether it has not been refused, or something runs in its place. */
function serves({ refusal, state }: Plugin): boolean {
  return refusal === undefined || state === 'last-good'
}

/** What did not start under an earlier revision is news under this one too. */
function stillThere(plugin: Plugin): Omit<PluginActivation, 'plugin'> {
  const { refusal, state } = plugin
  if (refusal === undefined) return { outcome: 'unchanged' }
  return notRunning(state === 'last-good' ? 'last-good' : 'failed', refusal)
}

/** What the module is called, what would run in its place and where it runs do not make it another plugin. */
const NOT_IDENTITY: ReadonlySet<string> = new Set([
  'lastGood',
  'moduleName',
  'moduleVersion',
  'selector',
  'ports',
  'phase',
  'priority',
])

function identityOf(config: SnapshotPlugin): string {
  return canonicalJson(
    Object.fromEntries(Object.entries(config).filter(([field]) => !NOT_IDENTITY.has(field))),
  )
}
