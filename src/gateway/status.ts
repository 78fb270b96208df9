/** What `/-/status` shows: one isolate, and the reports of all. */
import type { LiveConfigStatus } from '../config/live-config.ts'
import type { NodeView } from '../observe/index.ts'
import type { VmPool } from '../proxy-wasm/index.ts'
import type { ModuleSource } from './modules.ts'
import type { Running } from './running.ts'

export interface PluginStatus {
  readonly id: string
  readonly module: string
  readonly moduleName: string | null
  readonly moduleVersion: string | null
  readonly phase: string
  readonly priority: number
  readonly failStrategy: string
  /** `idle` until this isolate's first request that needs it; a `singleton` runs elsewhere. */
  readonly vm: 'singleton' | 'idle' | 'running' | 'last-good' | 'failed' | 'retired'
  readonly lastError: string | null
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
  /** All nodes and their isolates by their reports; null when those cannot be had. */
  readonly nodes: readonly NodeView[] | null
  readonly vms: { readonly count: number; readonly contexts: number; readonly memoryBytes: number }
}

/** Puts one isolate's status together. Nothing of a plugin's configuration is in it. */
export function gatewayStatus(
  live: LiveConfigStatus,
  source: ModuleSource,
  running: Running | undefined,
  pool: VmPool,
): Omit<GatewayStatus, 'nodes'> {
  return {
    ...live,
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
        vm: plugin?.state ?? (config.singleton ? 'singleton' : 'failed'),
        lastError: plugin?.lastError?.message ?? null,
        unknownImports: plugin?.unknownImports ?? [],
      }
    }),
    vms: { count: pool.size, contexts: pool.contexts, memoryBytes: pool.memoryBytes },
  }
}
