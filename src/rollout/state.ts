/** Where a rollout is, as plain JSON: what the controller keeps and nodes read. */
import type { RolloutMode } from '../config/snapshot-rollout.ts'
import type { RolloutCounts, SideCounts } from './counts.ts'

/**
 * `paused`: the weight stays until somebody resumes it. `complete`: all steps are done, the last weight
 * stays until it is promoted. `rolled-back`: everybody is stable. `promoted`: the candidate is the plugin.
 */
export type RolloutPhase = 'running' | 'paused' | 'complete' | 'rolled-back' | 'promoted'

/** From when on which weight counts, in which mode and on which nodes. */
export interface Move {
  /** Milliseconds since the Unix epoch. */
  readonly effectiveAt: number
  /** Per cent; 0 is a rollback, on all nodes and of all moves before it. */
  readonly weight: number
  /** Absent: enforce. */
  readonly mode?: RolloutMode
  /** Labels of the nodes; absent: all. */
  readonly selector?: Readonly<Record<string, string>>
}

export interface RolloutState {
  /** Grows with each start: part of the salt, so that it is not always the same who goes first. */
  readonly run: number
  /** Which candidate this is about; of another one in a snapshot it says nothing. */
  readonly candidate: string
  /** Whose candidate it is: it may have become the plugin. */
  readonly plugin?: string
  /** The first revision in which it was seen to be promoted. */
  readonly promotedIn?: number
  readonly phase: RolloutPhase
  /** Why it is in this phase. */
  readonly reason: string
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number
  /** When it was last resumed: the deadline counts from there. */
  readonly resumedAt?: number
  /** Index of the step under way; -1 before the first. */
  readonly step: number
  /** When its weight takes or took effect, or the rollout was resumed in it. */
  readonly since: number
  /** What had been counted when the step's weight took effect; absent before. */
  readonly marks?: RolloutCounts
  /** Of requests that got the stable version, by then; where `marks` are of pairs. */
  readonly served?: SideCounts
  /** The stable side's mark of the step before, where this step leaves nobody stable. */
  readonly stableMark?: SideCounts
  /** In order of time; the last is in effect, or about to be. */
  readonly moves: readonly Move[]
}
