/**
 * What whoever takes reports in may be told of a document before it is known to be in KV: what takes
 * candidates back, at once; what raises somebody, never. With KV down nothing moves forward.
 */
import type { Kill, PublishedRollout, RolloutsDocument } from './record.ts'
import type { Move } from './state.ts'

const NOTHING: Pick<RolloutsDocument, 'rollouts' | 'kills'> = { rollouts: {}, kills: [] }

/**
 * @param document - what is to be published
 * @param before - what is known to be in KV; absent when that is nothing
 * @returns the document itself when it raises nobody; else what of it takes somebody back, under the
 *   version before, or undefined when nothing does
 */
export function beforeKv(
  document: RolloutsDocument,
  before: Pick<RolloutsDocument, 'rollouts' | 'kills'> = NOTHING,
): RolloutsDocument | undefined {
  const rollouts = Object.fromEntries(
    Object.entries(document.rollouts).map(([id, rollout]) => [
      id,
      withoutRises(rollout, before.rollouts[id]),
    ]),
  )
  const kills = [...document.kills, ...before.kills.filter((kill) => !has(document.kills, kill))]
  const held = { ...document, version: document.version - 1, rollouts, kills }
  if (effect(held) === effect(document)) return document
  return effect(held) === effect(before) ? undefined : held
}

/** Without moves to a weight that KV does not have: those to 0 take back what was before them. */
function withoutRises(
  rollout: PublishedRollout,
  before: PublishedRollout | undefined,
): PublishedRollout {
  const known = before?.run === rollout.run && before.candidate === rollout.candidate
  const moves = known ? sinceRollback(before.moves) : []
  return {
    ...rollout,
    moves: rollout.moves.filter((move) => move.weight === 0 || has(moves, move)),
  }
}

function sinceRollback(moves: readonly Move[]): readonly Move[] {
  return moves.slice(moves.findLastIndex(({ weight }) => weight === 0) + 1)
}

function has<T extends Move | Kill>(list: readonly T[], one: T): boolean {
  const text = JSON.stringify(one)
  return list.some((other) => JSON.stringify(other) === text)
}

/** What counts on nodes, as text. */
function effect({ rollouts, kills }: Pick<RolloutsDocument, 'rollouts' | 'kills'>): string {
  const counts = Object.entries(rollouts)
    .map(([id, { run, candidate, moves }]) => [id, run, candidate, sinceRollback(moves)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([counts, kills.map((kill) => JSON.stringify(kill)).sort()])
}
