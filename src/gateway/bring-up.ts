/**
 * Makes the plugins of a snapshot: each with the versions behind it that may run in its place, and a
 * place in its chain whatever happens. A plugin whose module is not here is made all the same: its fail
 * strategy decides, and a chain never runs without it as if it had not been asked for.
 */
import { asLastGood, isSameVersion } from '../config/last-good.ts'
import type { SnapshotPlugin } from '../config/snapshot.ts'
import {
  describeError,
  LoadError,
  type LoadedModule,
  missingModule,
  Plugin,
  type PluginFallback,
  type VmPool,
  vmKey,
  type VmSide,
} from '../proxy-wasm/index.ts'
import type { ModuleSource } from './modules.ts'
import type { GatewayNode } from './node.ts'
import { toPluginSpec } from './plugin-spec.ts'

/** Why a plugin does not run, as a report says it. */
export interface NotRunning {
  readonly outcome: 'last-good' | 'failed'
  readonly code: string
  readonly reason: string
}

/** @param error - that starting the plugin ended with */
export function notRunning(outcome: NotRunning['outcome'], error: unknown): NotRunning {
  return error instanceof LoadError
    ? { outcome, code: error.code, reason: error.message }
    : { outcome, code: 'plugin.not_activated', reason: describeError(error) }
}

interface Making {
  readonly side: VmSide['rollout']
  readonly counted: boolean
}

const STABLE: Making = { side: 'stable', counted: false }

/** What plugins were made from, to tell whether that is what a snapshot says. */
const MADE_FROM = new WeakMap<Plugin, SnapshotPlugin>()

/** Whether a plugin is of the version that a snapshot names, and not one in its place. */
export function isOfVersion(plugin: Plugin, config: SnapshotPlugin): boolean {
  const from = MADE_FROM.get(plugin)
  return from !== undefined && isSameVersion(from, config)
}

export class PluginMaker {
  readonly #modules: ModuleSource
  readonly #pool: VmPool
  readonly #node: GatewayNode
  #made = 0

  constructor(modules: ModuleSource, pool: VmPool, node: GatewayNode) {
    this.#modules = modules
    this.#pool = pool
    this.#node = node
  }

  /**
   * @param late - hears when a stream needed the plugin and it did not start
   * @param how - which side of a rollout it is: sides never share a vm; and whether host calls are counted
   * @returns the plugin, and why its module cannot be had where that is so
   */
  async make(
    config: SnapshotPlugin,
    late: (why: NotRunning) => void,
    how: Making = STABLE,
  ): Promise<{ readonly plugin: Plugin; readonly missing?: LoadError }> {
    let fallback: Plugin | undefined
    for (const version of config.lastGood?.toReversed() ?? []) {
      const module = this.#load(version.module)
      if (module instanceof LoadError) continue
      fallback = await this.#plugin(asLastGood(config, version), module, { plugin: fallback }, how)
    }
    const outcome = fallback === undefined ? 'failed' : 'last-good'
    const behind = {
      plugin: fallback,
      notStarted: (error: Error) => late(notRunning(outcome, error)),
    }
    const module = this.#load(config.module)
    if (!(module instanceof LoadError)) {
      return { plugin: await this.#plugin(config, module, behind, how) }
    }
    const stand = missingModule(config.module, module)
    return { plugin: await this.#plugin(config, stand, behind, how), missing: module }
  }

  #load(sha256: string): LoadedModule | LoadError {
    try {
      const module = this.#modules.load(sha256)
      if (module !== undefined) return module
    } catch (error) {
      if (error instanceof LoadError) return error
      return new LoadError('module.invalid', describeError(error))
    }
    const message = `no module ${sha256} is bound here; deploy it first`
    return new LoadError('module.not_bound', message)
  }

  async #plugin(
    config: SnapshotPlugin,
    module: LoadedModule,
    fallback: PluginFallback,
    { side, counted }: Making,
  ): Promise<Plugin> {
    const spec = toPluginSpec(config, module, this.#node, counted)
    const key = await vmKey(spec, { rollout: side, mode: 'enforce' })
    // a version never starts in the vm of the one before: what it does there would be done to that one's streams
    const own = config.shareVm ? key : `${key}.${(this.#made += 1)}`
    const plugin = new Plugin(spec, own, this.#pool, fallback)
    MADE_FROM.set(plugin, config)
    return plugin
  }
}
