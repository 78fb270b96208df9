/** A rise that nobody can have read of yet, though its time is near: its time is moved. */
import type { RolloutsRecord } from './record.ts'
import type { Move, RolloutState } from './state.ts'
import { RISE_LEAD_MS } from './steps.ts'

/** So long a place may show an old value: whoever reads of a rise later than that turns late. */
const LEAST_LEAD_MS = 90_000

/**
 * The record as it is to be published now.
 * @returns the same, or one in which rises that were never published are far enough ahead again
 */
export function rebased(record: RolloutsRecord, now: number): RolloutsRecord {
  const rollouts = Object.entries(record.rollouts).map(([id, state]) => {
    const before = record.published?.rollouts[id]
    const known = before?.run === state.run ? before.moves : []
    return [id, isLate(state, known, now) ? moved(state, now + RISE_LEAD_MS) : state] as const
  })
  if (rollouts.every(([id, state]) => record.rollouts[id] === state)) return record
  return { ...record, rollouts: Object.fromEntries(rollouts) }
}

function isLate({ moves }: RolloutState, known: readonly Move[], now: number): boolean {
  const last = moves.at(-1)
  if (last === undefined || last.effectiveAt >= now + LEAST_LEAD_MS) return false
  const isRise = last.weight > (moves.at(-2)?.weight ?? 0)
  return isRise && !known.some(({ effectiveAt }) => effectiveAt === last.effectiveAt)
}

function moved(state: RolloutState, effectiveAt: number): RolloutState {
  const { marks: _, ...rest } = state
  const moves = state.moves.map((move, index) =>
    index === state.moves.length - 1 ? { ...move, effectiveAt } : move,
  )
  return { ...rest, since: effectiveAt, moves }
}
