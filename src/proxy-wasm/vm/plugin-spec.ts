/** What an embedder says about one plugin: a configured use of a module. Immutable; made once per snapshot. */
import type { PluginLimits } from '../limits.ts'
import type { LoadedModule } from './loaded-module.ts'

/** What the client sees when the plugin cannot run; the names are Istio's. */
export type FailStrategy = 'FAIL_CLOSE' | 'FAIL_OPEN' | 'FAIL_RELOAD'

export interface PluginSpec {
  /** Unique among the plugins of one gateway; also `plugin_name`. */
  readonly name: string
  /** Which of the module's root contexts; most modules have one and ignore it. */
  readonly rootId: string
  /** Scope of shared data, queues and metrics. */
  readonly vmId: string
  readonly module: LoadedModule
  /** Bytes that `on_configure` reads. */
  readonly configuration: Uint8Array<ArrayBuffer>
  /** Bytes that `on_vm_start` reads. */
  readonly vmConfiguration: Uint8Array<ArrayBuffer>
  readonly environment: readonly (readonly [string, string])[]
  readonly failStrategy: FailStrategy
  /** Share one vm with other plugins of the same vm key instead of having one's own. */
  readonly shareVm: boolean
  /** Allow-list of host functions and callbacks by name; undefined allows all. */
  readonly allowedCapabilities: ReadonlySet<string> | undefined
  /** Let a headers Pause hold the headers only, so that body callbacks go on. */
  readonly allowOnHeadersStopIteration: boolean
  readonly limits: PluginLimits
}
