/** What an isolate runs, and where it had it from. */
import type { Snapshot } from './snapshot.ts'

/**
 * Where what runs came from: the store's active pointer; the snapshot before that; the copy kept near
 * where it runs; what was bundled at deploy.
 */
export type Origin = 'active' | 'previous' | 'copy' | 'baseline'

/** A snapshot that runs, whole: a request takes one at its start and keeps it to its end. */
export interface ActiveConfig<Running> {
  /** 0 for `previous` and the baseline: they run without a number of their own. */
  readonly revision: number
  /** sha256 of the snapshot. */
  readonly hash: string
  readonly issuedAt: string
  readonly origin: Origin
  readonly snapshot: Snapshot
  /** What the gateway made of the snapshot when it was activated. */
  readonly running: Running
}

/** A snapshot that was bundled at deploy: what a cold isolate runs when nothing else can be had. */
export interface Baseline {
  readonly hash: string
  /** The bytes that `hash` is of. */
  readonly text: string
}
