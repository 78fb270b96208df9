/** What of a rollout counts on a node now: in which mode its candidate runs, and for how many. */
import { hasLabels } from '../config/has-labels.ts'
import { rankOf } from '../config/rollout-modes.ts'
import type { RolloutMode, SnapshotBlackout } from '../config/snapshot-rollout.ts'
import { blackoutBegan } from './blackout.ts'
import type { Move } from './state.ts'

export interface Share {
  readonly mode: RolloutMode
  /** Per cent; 0: everybody is stable, whatever the mode. */
  readonly weight: number
}

/** Where a rollout is looked at. */
export interface ShareNode {
  /** Of the node; `timezone` is its own, for blackouts that name none. */
  readonly labels: Readonly<Record<string, string>>
  /** The most that the signed snapshot lets a candidate do there: a move counts for no more. */
  readonly cap: RolloutMode
  readonly blackout?: readonly SnapshotBlackout[] | undefined
}

const NONE: Share = { mode: 'shadow', weight: 0 }

/**
 * Of the moves that are in effect, come after the last rollback and are for the node: the highest mode,
 * and in it the highest weight. What comes into effect in a blackout is held back until that ends, on this
 * node; a rollback never is.
 * @param now - milliseconds since the Unix epoch
 */
export function shareAt(
  moves: readonly Move[],
  { labels, cap, blackout }: ShareNode,
  now: number,
): Share {
  const { timezone = 'UTC' } = labels
  const began = blackout && blackoutBegan(blackout, timezone, now)
  // a rollback counts when it is known: the node's clock may be behind
  const back = moves.findLastIndex(({ weight }) => weight === 0)
  return moves
    .slice(back + 1)
    .filter(({ effectiveAt }) => effectiveAt <= now)
    .filter(({ effectiveAt }) => began === undefined || effectiveAt <= began)
    .filter(({ selector }) => hasLabels(selector, labels))
    .map(({ mode = 'enforce', weight }) => ({ mode: lesser(mode, cap), weight }))
    .reduce((most, share) => (isMore(share, most) ? share : most), NONE)
}

function lesser(one: RolloutMode, other: RolloutMode): RolloutMode {
  return rankOf(one) < rankOf(other) ? one : other
}

function isMore(one: Share, other: Share): boolean {
  const ranks = rankOf(one.mode) - rankOf(other.mode)
  return ranks > 0 || (ranks === 0 && one.weight > other.weight)
}
