/**
 * The port through which a snapshot's changed plugins are tried before anything is written: each is
 * started in a vm that is thrown away, where `on_vm_start` and `on_configure` must answer true.
 */
import type { PluginId, Snapshot } from './snapshot.ts'

export interface PreflightResult {
  readonly plugin: PluginId
  readonly ok: boolean
  /** Why not, one sentence. */
  readonly reason?: string
  /** What the plugin logged meanwhile, a line each; shown to the operator who applies. */
  readonly logs: readonly string[]
}

/**
 * @param snapshot what is to be written
 * @param changed the plugins to try: new, or started with something else than before
 * @returns one result per plugin of `changed`; never rejects because of a plugin
 */
export type Preflight = (
  snapshot: Snapshot,
  changed: readonly PluginId[],
) => Promise<readonly PreflightResult[]>
