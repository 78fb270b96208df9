/** What `/-/status` shows: one isolate, and the reports of all. */
import type { LiveConfigStatus } from '../config/live-config.ts'
import type { SnapshotPlugin } from '../config/snapshot.ts'
import { type ActiveRevision, type NodeView, refusedNow } from '../observe/index.ts'
import type { ReportedRefusal } from '../observe/index.ts'
import type { Plugin, VmPool } from '../proxy-wasm/index.ts'
import type { PluginCounts } from '../proxy-wasm/vm/plugin-counts.ts'
import type { FailOpenBudget } from '../proxy-wasm/vm/plugin-spec.ts'
import type { ModuleSource } from './modules.ts'
import { pluginTroubles, runsLastGood } from './plugin-troubles.ts'
import type { Running } from './running.ts'

export interface PluginStatus {
  readonly id: string
  readonly module: string
  readonly moduleName: string | null
  readonly moduleVersion: string | null
  readonly phase: string
  readonly priority: number
  readonly failStrategy: string
  /**
   * `idle` until this isolate's first request that needs it; a `singleton` runs elsewhere; an
   * `unselected` one is for nodes with other labels.
   */
  readonly vm: 'singleton' | 'unselected' | 'idle' | 'running' | 'last-good' | 'failed' | 'retired'
  readonly lastError: string | null
  readonly mode: 'enforce' | 'log-only'
  /** What it would have done here if it were not log-only, by class; empty for one that enforces. */
  readonly wouldBe: PluginCounts['wouldBe']
  /** The minute that is counted of its budget for failing open, in this isolate; null without one. */
  readonly failOpen:
    | (FailOpenBudget & {
        readonly came: number
        readonly passed: number
        readonly refused: number
      })
    | null
  /** `module.name` of the module's imports that nobody knows here: they answer Unimplemented. */
  readonly unknownImports: readonly string[]
}

export interface GatewayStatus extends LiveConfigStatus {
  readonly modules: readonly {
    readonly name: string
    readonly version: string
    readonly sha256: string
    readonly urls: readonly string[]
  }[]
  readonly plugins: readonly PluginStatus[]
  /** What this isolate refuses now; `refusals` has what was put right as well. */
  readonly refused: readonly ReportedRefusal[]
  /** What the report object was told is active; null when it was not, or cannot be asked. */
  readonly active: ActiveRevision | null
  /** All nodes and their isolates by their reports; null when those cannot be had. */
  readonly nodes: readonly NodeView[] | null
  /** The gateway that this one reports to, which shows all nodes; null where that is this one. */
  readonly hub: string | null
  readonly vms: { readonly count: number; readonly contexts: number; readonly memoryBytes: number }
}

/** Puts one isolate's status together. Nothing of a plugin's configuration is in it. */
export function gatewayStatus(
  live: LiveConfigStatus,
  source: ModuleSource,
  running: Running | undefined,
  pool: VmPool,
): Omit<GatewayStatus, 'active' | 'nodes' | 'hub'> {
  const plugins = pluginTroubles(running, live.refusals)
  return {
    ...live,
    refused: refusedNow({ ...live, plugins, node: '' }),
    modules: source.modules.map(({ name, version, sha256, urls }) => ({
      name,
      version,
      sha256,
      urls,
    })),
    plugins: Object.values(running?.snapshot.plugins ?? {}).map((config) => {
      const plugin = running?.plugins.get(config.id)
      const module = plugin?.spec.module.sha256 ?? config.module
      const bound = source.modules.find(({ sha256 }) => sha256 === module)
      return {
        id: config.id,
        module,
        moduleName: bound?.name ?? config.moduleName ?? null,
        moduleVersion: bound?.version ?? config.moduleVersion ?? null,
        phase: config.phase,
        priority: config.priority,
        failStrategy: config.failStrategy,
        vm: plugin === undefined ? standIn(config) : stateOf(config, plugin),
        lastError: plugin?.lastError?.message ?? null,
        unknownImports: plugin?.unknownImports ?? [],
        mode: config.mode ?? 'enforce',
        wouldBe: config.mode === undefined ? {} : (plugin?.counts.wouldBe ?? {}),
        failOpen: config.failOpenBudget ? failOpen(config.failOpenBudget, plugin) : null,
      }
    }),
    vms: { count: pool.size, contexts: pool.contexts, memoryBytes: pool.memoryBytes },
  }
}

/** A plugin that goes on as it was since its new version did not start is as good as any other last good one. */
function stateOf(config: SnapshotPlugin, plugin: Plugin): PluginStatus['vm'] {
  return plugin.state !== 'failed' && runsLastGood(config, plugin) ? 'last-good' : plugin.state
}

function failOpen(budget: FailOpenBudget, plugin: Plugin | undefined): PluginStatus['failOpen'] {
  const { minute, overBudget = 0 } = plugin?.counts ?? {}
  return { ...budget, came: minute?.came ?? 0, passed: minute?.passed ?? 0, refused: overBudget }
}

/** What is said of a plugin that this isolate does not have. */
function standIn({ singleton, selector }: SnapshotPlugin): PluginStatus['vm'] {
  if (singleton) return 'singleton'
  return selector === undefined ? 'failed' : 'unselected'
}
