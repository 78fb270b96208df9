/**
 * The port between configuration and what runs it. Configuration decides *which* snapshot is due;
 * the gateway brings it up beside the running one and says, plugin by plugin, how that went.
 */
import type { PluginId, Snapshot } from './snapshot.ts'

/** Keeps a promise alive beyond the response of the request that made it. */
export interface RequestScope {
  waitUntil(promise: Promise<unknown>): void
}

/**
 * How one plugin of a new snapshot came up.
 * - `unchanged`: it ran before and goes on
 * - `deferred`: this isolate does not run it yet; its vm starts with the first request that needs it
 * - `swapped`: the new version took over
 * - `last-good`: the new version did not start, its last good version runs
 * - `failed`: neither started; its `failStrategy` decides
 */
export interface PluginActivation {
  readonly plugin: PluginId
  readonly outcome: 'unchanged' | 'deferred' | 'swapped' | 'last-good' | 'failed'
  /** A dotted code for the last two outcomes; `plugin.not_activated` when absent. */
  readonly code?: string
  /** Why, for the last two outcomes: one sentence, nothing secret. */
  readonly reason?: string
}

export interface ActivationReport<Running> {
  /** The gateway's own form of the snapshot (route table, plugin handles), handed back per request. */
  readonly running: Running
  readonly plugins: readonly PluginActivation[]
}

/** Tells of a plugin that was deferred and, when a request needed it, did not start. */
export type ReportLate = (activation: PluginActivation) => void

/**
 * Starts what the snapshot changes beside what runs, then answers. Must leave the running snapshot
 * untouched until it answers: requests go on with the old one meanwhile.
 * @param snapshot checked, and verified against its name
 * @param scope the request in whose I/O context this happens
 * @param late called for as long as this snapshot runs
 * @throws only when nothing of the snapshot can run; the old one then goes on and a refusal is kept
 */
export type Activate<Running> = (
  snapshot: Snapshot,
  scope: RequestScope,
  late: ReportLate,
) => Promise<ActivationReport<Running>>
