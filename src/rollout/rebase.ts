/** A rise that nobody can have read of yet, though its time is near: its time is moved. */
import type { RolloutsRecord } from './record.ts'
import type { Move, RolloutState } from './state.ts'

/** So much of the lead must be left when it is published: whoever reads of a rise too late turns late. */
const LEAST_LEAD = 0.9

/**
 * The record as it is to be published now.
 * @param leadMs - from the decision of a rise to its effect
 * @returns the same, or one in which rises that were never published are far enough ahead again
 */
export function rebased(record: RolloutsRecord, now: number, leadMs: number): RolloutsRecord {
  const rollouts = Object.entries(record.rollouts).map(([id, state]) => {
    const before = record.published?.rollouts[id]
    const known = before?.run === state.run ? before.moves : []
    return [
      id,
      isLate(state, known, now + leadMs * LEAST_LEAD) ? moved(state, now + leadMs) : state,
    ] as const
  })
  if (rollouts.every(([id, state]) => record.rollouts[id] === state)) return record
  return { ...record, rollouts: Object.fromEntries(rollouts) }
}

function isLate({ moves }: RolloutState, known: readonly Move[], soonest: number): boolean {
  const last = moves.at(-1)
  if (last === undefined || last.effectiveAt >= soonest) return false
  // whatever is no rollback lets more requests, or more nodes, have more of the candidate
  return last.weight > 0 && !known.some(({ effectiveAt }) => effectiveAt === last.effectiveAt)
}

function moved(state: RolloutState, effectiveAt: number): RolloutState {
  const { marks: _, ...rest } = state
  const moves = state.moves.map((move, index) =>
    index === state.moves.length - 1 ? { ...move, effectiveAt } : move,
  )
  return { ...rest, since: effectiveAt, moves }
}
