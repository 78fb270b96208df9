/** What is counted of the requests of a rollout, for each side: sums alone, so that any two can be added. */

/** Sum and sum of squares of something that each request has so much of. */
export interface Spread {
  readonly sum: number
  readonly squares: number
}

export interface SideCounts {
  /** Requests of the audience that got this side. */
  readonly requests: number
  /** Answered with 500 and above. */
  readonly serverErrors: number
  /** In which the plugin failed. */
  readonly traps: number
  /** Answered by the plugin itself with 400 to 499. */
  readonly denials: number
  /** Milliseconds to the headers of the response. */
  readonly wallMs: Spread
  readonly hostCalls: Spread
}

/** Both sides, over the same time and the same audience. */
export interface RolloutCounts {
  readonly stable: SideCounts
  readonly candidate: SideCounts
}

const NOTHING: Spread = { sum: 0, squares: 0 }

export const NO_COUNTS: SideCounts = {
  requests: 0,
  serverErrors: 0,
  traps: 0,
  denials: 0,
  wallMs: NOTHING,
  hostCalls: NOTHING,
}

export const NO_ROLLOUT_COUNTS: RolloutCounts = { stable: NO_COUNTS, candidate: NO_COUNTS }

export function addCounts(one: SideCounts, other: SideCounts): SideCounts {
  return combined(one, other, 1)
}

/**
 * What has been counted since.
 * @returns nothing of what has become less: its counters began anew
 */
export function countsSince(now: SideCounts, before: SideCounts): SideCounts {
  return now.requests < before.requests ? now : combined(now, before, -1)
}

function combined(one: SideCounts, other: SideCounts, sign: 1 | -1): SideCounts {
  const spread = (a: Spread, b: Spread): Spread => ({
    sum: a.sum + sign * b.sum,
    squares: a.squares + sign * b.squares,
  })
  return {
    requests: one.requests + sign * other.requests,
    serverErrors: one.serverErrors + sign * other.serverErrors,
    traps: one.traps + sign * other.traps,
    denials: one.denials + sign * other.denials,
    wallMs: spread(one.wallMs, other.wallMs),
    hostCalls: spread(one.hostCalls, other.hostCalls),
  }
}
