/**
 * The part of a snapshot that says how another version of a plugin goes out. Both sides are in the
 * snapshot, under its signature: what runs a rollout can only choose between them.
 */
import type { RouteMatch } from './snapshot-route.ts'

/** From what does least to requests to what does most. */
export const ROLLOUT_MODES = ['shadow', 'log-only', 'enforce'] as const

/**
 * What becomes of the candidate in the requests it gets. `shadow`: it runs behind the response, on a copy.
 * `log-only`: it runs in the request, beside the stable version, and what it does is dropped. `enforce`: it
 * is in the stable version's place.
 */
export type RolloutMode = (typeof ROLLOUT_MODES)[number]

export const RATE_METRICS = ['server-errors', 'traps', 'denials'] as const
export const MEAN_METRICS = ['wall-time', 'host-calls', 'plugin-metric'] as const

/** What keeps a request on its side. */
export type SnapshotRolloutKey =
  | { readonly type: 'clientIp' }
  | { readonly type: 'cookie' | 'header' | 'query' | 'jwtClaim'; readonly name: string }
  /** A cookie of that name, which the gateway sets and signs itself. */
  | { readonly type: 'issued'; readonly name: string }

/** What differs from the plugin it is another version of. */
export interface SnapshotCandidate {
  /** sha256 of the module's original bytes. */
  readonly module: string
  readonly moduleName?: string
  readonly moduleVersion?: string
  /** JSON text; empty when there is none. */
  readonly configuration: string
}

export interface SnapshotRolloutStep {
  /** Per cent, in thousandths of one at the finest. */
  readonly weight: number
  readonly pauseMs: number
  /** It lasts until the analysis passes, and the rollout pauses when that takes longer. */
  readonly passesWithinMs?: number
  /** Absent: the rollout's. Modes never go back from step to step. */
  readonly mode?: RolloutMode
  /** Labels of the nodes it is for; absent: all of the rollout's. */
  readonly selector?: Readonly<Record<string, string>>
}

export interface SnapshotBlackout {
  /** Minutes since midnight; an end before the beginning is on the next day. */
  readonly from: number
  readonly to: number
  /** On which it begins, 0 for Sunday; absent: all. */
  readonly days?: readonly number[]
  /** Absent: the node's. */
  readonly timeZone?: string
}

export interface SnapshotAnalysisMetric {
  readonly name: (typeof RATE_METRICS)[number] | (typeof MEAN_METRICS)[number]
  /** Of `plugin-metric`: which, as the plugin has defined it or as it is shown, without labels. */
  readonly metric?: string
  /** Of a rate: a share of 1. Of a mean: in its own unit. */
  readonly maxIncrease: number
}

export interface SnapshotAnalysis {
  readonly metrics: readonly SnapshotAnalysisMetric[]
  readonly minSamples: number
  /** The chance that a candidate which is not worse is said to be, over the whole rollout. */
  readonly alpha: number
}

export interface SnapshotRollout {
  /** `<namespace>.<name>`. */
  readonly id: string
  /** A key of `Snapshot.plugins`. */
  readonly plugin: string
  readonly candidate: SnapshotCandidate
  readonly mode: RolloutMode
  /** What becomes of the candidate's calls in mode log-only; absent: they are made. */
  readonly logOnly?: { readonly callouts: 'block' }
  /** Labels of the nodes it goes to; absent: every node. */
  readonly selector?: Readonly<Record<string, string>>
  /** Absent: every request that the plugin sees. */
  readonly matches?: readonly RouteMatch[]
  readonly always?: readonly string[]
  readonly never?: readonly string[]
  readonly key: SnapshotRolloutKey
  /** Weights rise from step to step of one mode and selector. */
  readonly steps: readonly SnapshotRolloutStep[]
  readonly blackout?: readonly SnapshotBlackout[]
  readonly analysis?: SnapshotAnalysis
  readonly onFailure: 'rollback' | 'pause'
  /** For all steps together; absent: no bound. */
  readonly deadlineMs?: number
}
