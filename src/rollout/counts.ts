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
  /** Answered by the plugin itself with 400 to 499. */
  readonly denials: number
  /** Milliseconds to the headers of the response. */
  readonly wallMs: Spread
  /** Streams of those requests that are over, answered or not: what is below is counted then. */
  readonly streams: number
  /** In which the plugin failed. */
  readonly traps: number
  readonly hostCalls: Spread
  /** What the plugin counts itself, by `<type> <name>`. */
  readonly metrics: Readonly<Record<string, MetricCounts>>
}

/** Of one metric of a plugin: a counter's sums are of what each stream added, a histogram's of its values. */
export interface MetricCounts extends Spread {
  /** How many isolates have seen it defined. */
  readonly defined: number
  /** Of a histogram. */
  readonly values: number
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
  denials: 0,
  wallMs: NOTHING,
  streams: 0,
  traps: 0,
  hostCalls: NOTHING,
  metrics: {},
}

export const NO_METRIC_COUNTS: MetricCounts = { ...NOTHING, defined: 0, values: 0 }

export const NO_ROLLOUT_COUNTS: RolloutCounts = { stable: NO_COUNTS, candidate: NO_COUNTS }

export function addCounts(one: SideCounts, other: SideCounts): SideCounts {
  return combined(one, other, 1)
}

/**
 * What has been counted since.
 * @returns nothing of what has become less: its counters began anew
 */
export function countsSince(now: SideCounts, before: SideCounts): SideCounts {
  // what was kept by a version that counted less
  return now.requests < before.requests ? now : combined(now, { ...NO_COUNTS, ...before }, -1)
}

function combined(one: SideCounts, other: SideCounts, sign: 1 | -1): SideCounts {
  const spread = (a: Spread, b: Spread): Spread => ({
    sum: a.sum + sign * b.sum,
    squares: a.squares + sign * b.squares,
  })
  return {
    requests: one.requests + sign * other.requests,
    serverErrors: one.serverErrors + sign * other.serverErrors,
    denials: one.denials + sign * other.denials,
    wallMs: spread(one.wallMs, other.wallMs),
    streams: one.streams + sign * other.streams,
    traps: one.traps + sign * other.traps,
    hostCalls: spread(one.hostCalls, other.hostCalls),
    metrics: combinedMetrics(one.metrics, other.metrics, sign),
  }
}

function combinedMetrics(
  one: SideCounts['metrics'],
  other: SideCounts['metrics'],
  sign: 1 | -1,
): SideCounts['metrics'] {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  const all = [...keys].map((key) => {
    const [a = NO_METRIC_COUNTS, b = NO_METRIC_COUNTS] = [one[key], other[key]]
    const counts: MetricCounts = {
      // what was defined before stays so
      defined: sign === 1 ? a.defined + b.defined : a.defined,
      values: a.values + sign * b.values,
      sum: a.sum + sign * b.sum,
      squares: a.squares + sign * b.squares,
    }
    return [key, counts] as const
  })
  return Object.fromEntries(all)
}
