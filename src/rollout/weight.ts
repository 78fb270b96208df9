/** Which weight of a rollout counts on a node now. */
import type { SnapshotBlackout } from '../config/snapshot-rollout.ts'
import { blackoutBegan } from './blackout.ts'
import type { Move } from './state.ts'

/**
 * A rise that falls into a blackout is held back until the blackout ends; going back never is.
 * @param timeZone - of the node
 * @param now - milliseconds since the Unix epoch
 * @returns per cent; 0 before the first move
 */
export function weightAt(
  moves: readonly Move[],
  blackout: readonly SnapshotBlackout[] | undefined,
  timeZone: string,
  now: number,
): number {
  const began = blackout && blackoutBegan(blackout, timeZone, now)
  const weights = moves.filter(({ effectiveAt }) => effectiveAt <= now)
  if (began === undefined) return weights.at(-1)?.weight ?? 0
  const since = weights.filter(({ effectiveAt }) => effectiveAt > began)
  const before = weights.at(-1 - since.length)?.weight ?? 0
  return Math.min(before, ...since.map(({ weight }) => weight))
}
