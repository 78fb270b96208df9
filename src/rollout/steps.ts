/**
 * The steps of a rollout as a function: where it is, what the time is and what has been counted → where
 * it is next. No clock, no storage: whoever calls it again with the same gets the same.
 */
import { modeOf } from '../config/rollout-modes.ts'
import type { SnapshotRolloutStep } from '../config/snapshot-rollout.ts'
import type { LedRollout } from './active-versions.ts'
import { analyse, type Finding, metricTitle, whyInconclusive } from './analysis.ts'
import { blackoutBegan } from './blackout.ts'
import { countsSince, type RolloutCounts, type SideCounts } from './counts.ts'
import type { Move, RolloutState } from './state.ts'

/**
 * A rise takes effect so long after it was decided, unless a deployment knows better: until then every
 * node has read of it.
 */
export const RISE_LEAD_MS = 100_000

export interface Advance {
  readonly state: RolloutState
  /** What the analysis says; absent where there is none, or nothing to look at yet. */
  readonly finding?: Finding
}

/**
 * Takes a rollout as far as it goes now: one step at the most.
 * @param counts - all that has been counted in this run, in the mode of the step under way
 * @param now - milliseconds since the Unix epoch
 * @param leadMs - from the decision of a rise to its effect
 * @param served - requests of this run that got the stable version, where `counts` are of pairs
 * @returns the same state object when nothing changes
 */
export function advance(
  rollout: LedRollout,
  state: RolloutState,
  counts: RolloutCounts,
  now: number,
  leadMs: number = RISE_LEAD_MS,
  served: SideCounts = counts.stable,
): Advance {
  if (state.phase === 'rolled-back' || state.phase === 'promoted') return { state }
  const marked = withMarks(state, counts, served, now)
  const finding = findingOf(rollout, marked, counts)
  const wrong = failure(rollout, marked, finding, now)
  const next =
    wrong === undefined
      ? forward(rollout, marked, finding, now, leadMs)
      : fail(rollout, marked, wrong, now)
  return { state: next, ...(finding && { finding }) }
}

/** What was counted before the step's weight took effect is not the step's. */
function withMarks(
  state: RolloutState,
  counts: RolloutCounts,
  served: SideCounts,
  now: number,
): RolloutState {
  if (state.marks !== undefined || state.step < 0 || now < effectSince(state)) return state
  return {
    ...state,
    marks: { candidate: counts.candidate, stable: state.stableMark ?? counts.stable },
    ...(served !== counts.stable && { served }),
  }
}

/** When the last move takes or took effect. */
function effectSince({ moves }: RolloutState): number {
  return moves.at(-1)?.effectiveAt ?? Infinity
}

function findingOf(
  { analysis, steps }: LedRollout,
  { marks }: RolloutState,
  counts: RolloutCounts,
): Finding | undefined {
  if (analysis === undefined || marks === undefined) return undefined
  const since = {
    stable: countsSince(counts.stable, marks.stable),
    candidate: countsSince(counts.candidate, marks.candidate),
  }
  return analyse(analysis, since, steps.length)
}

/** @returns why the rollout has failed; undefined when it has not */
function failure(
  { deadlineMs = Infinity, onFailure }: LedRollout,
  { phase, startedAt, resumedAt = startedAt, step }: RolloutState,
  finding: Finding | undefined,
  now: number,
): string | undefined {
  // one that was to pause has, and who resumes it is told again
  if (phase === 'paused' && onFailure === 'pause') return undefined
  if (finding?.verdict === 'fails') {
    const failed = finding.metrics.filter(({ verdict }) => verdict === 'fails')
    return `worse in step ${step + 1}: ${failed.map(metricTitle).join(', ')}`
  }
  if (phase === 'complete' || now - resumedAt < deadlineMs) return undefined
  return 'the deadline has passed'
}

function fail(
  { onFailure }: LedRollout,
  state: RolloutState,
  reason: string,
  now: number,
): RolloutState {
  return onFailure === 'pause' ? pause(state, reason, now) : rollBack(state, reason, now)
}

function forward(
  rollout: LedRollout,
  state: RolloutState,
  finding: Finding | undefined,
  now: number,
  leadMs: number,
): RolloutState {
  const { steps, blackout = [] } = rollout
  if (state.phase !== 'running') return state
  const step = steps[state.step]
  if (step !== undefined) {
    const lasted = now - state.since
    if (lasted < step.pauseMs) return state
    if (step.passesWithinMs !== undefined && finding?.verdict !== 'passes') {
      if (lasted < Math.max(step.passesWithinMs, step.pauseMs)) return state
      return pause(
        state,
        `inconclusive in step ${state.step + 1}: ${whyInconclusive(finding)}`,
        now,
      )
    }
  }
  const next = steps[state.step + 1]
  if (next === undefined) {
    return { ...state, phase: 'complete', reason: 'all steps are done; it waits to be promoted' }
  }
  const effectiveAt = now + leadMs
  // of windows without a time zone each node knows for itself
  if (blackoutBegan(blackout, undefined, effectiveAt) !== undefined) return state
  const { marks, served = marks?.stable, stableMark: _, ...rest } = state
  const { move, leavesNobody } = moveOf(rollout, next, effectiveAt)
  return {
    ...rest,
    // nobody is left to compare with: those who were stable in the step before are
    ...(leavesNobody && served !== undefined && { stableMark: served }),
    step: state.step + 1,
    since: effectiveAt,
    reason: `step ${state.step + 2} of ${steps.length}`,
    moves: [...state.moves, move],
  }
}

/** A step as nodes are told of it, and whether it leaves nobody with the stable version. */
function moveOf(
  rollout: LedRollout,
  step: SnapshotRolloutStep,
  effectiveAt: number,
): { readonly move: Move; readonly leavesNobody: boolean } {
  const { weight, selector } = step
  const mode = modeOf(rollout, step)
  return {
    move: {
      effectiveAt,
      weight,
      ...(mode === 'enforce' ? {} : { mode }),
      ...(selector === undefined ? {} : { selector }),
    },
    leavesNobody: mode === 'enforce' && weight === 100 && selector === undefined,
  }
}

/**
 * The beginning of a run, before its first step.
 * @param candidate - which one it is about
 * @param before - what there was under this name, whatever became of it
 */
export function begin(
  candidate: string,
  before: RolloutState | undefined,
  now: number,
): RolloutState {
  const run = (before?.run ?? 0) + 1
  const reason = 'started'
  return {
    run,
    candidate,
    phase: 'running',
    reason,
    startedAt: now,
    step: -1,
    since: now,
    moves: [],
  }
}

/** Keeps the weight as it is. A rise that has not taken effect is taken back. */
export function pause(state: RolloutState, reason: string, now: number): RolloutState {
  const moves = inEffect(state.moves, now)
  const step = state.step - (state.moves.length - moves.length)
  return { ...state, phase: 'paused', reason, moves, step }
}

/** Goes on from the beginning of the step it was paused in, with counts and a deadline of its own. */
export function resume(state: RolloutState, reason: string, now: number): RolloutState {
  const { marks: _, served: __, ...rest } = state
  return { ...rest, phase: 'running', reason, since: now, resumedAt: now }
}

/** Makes everybody stable at once. */
export function rollBack(state: RolloutState, reason: string, now: number): RolloutState {
  const moves = [...inEffect(state.moves, now), { effectiveAt: now, weight: 0 }]
  return { ...state, phase: 'rolled-back', reason, moves }
}

function inEffect(moves: readonly Move[], now: number): readonly Move[] {
  return moves.filter(({ effectiveAt }) => effectiveAt <= now)
}
