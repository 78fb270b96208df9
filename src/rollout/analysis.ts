/**
 * Whether a candidate is worse than the stable version: one verdict over all metrics, that may be asked
 * for as often as one likes. Each side has bounds that hold at all times (`confidence.ts`); the candidate
 * fails when even the least difference between them is more than it may be, and passes when even the
 * greatest is not. The chance of a false alarm is shared out over metrics, steps and sides
 * (Bonferroni), so that it holds for the rollout as a whole.
 */
import type { SnapshotAnalysis, SnapshotAnalysisMetric } from '../config/snapshot-rollout.ts'
import { type Bounds, meanBounds, rateBounds } from './confidence.ts'
import type { RolloutCounts, SideCounts } from './counts.ts'

/** `inconclusive`: it is too early to say; it may stay so. */
export type Verdict = 'passes' | 'fails' | 'inconclusive'

export interface MetricFinding {
  readonly name: SnapshotAnalysisMetric['name']
  readonly verdict: Verdict
  /** Shares of 1, milliseconds or calls: what was seen; null without requests. */
  readonly stable: number | null
  readonly candidate: number | null
  /** How much more the candidate has: at least, and at most; null where nothing is known. */
  readonly least: number | null
  readonly most: number | null
  readonly maxIncrease: number
}

export interface Finding {
  readonly verdict: Verdict
  /** Requests that were compared. */
  readonly requests: { readonly stable: number; readonly candidate: number }
  readonly metrics: readonly MetricFinding[]
}

/** Bounds of means are closest together at so many times the least number of samples. */
const TIGHT_AT = 5

/**
 * @param counts - of both sides since the step began
 * @param steps - how many steps the rollout has
 * @returns `fails` when one metric fails, `passes` when all pass
 */
export function analyse(
  analysis: SnapshotAnalysis,
  { stable, candidate }: RolloutCounts,
  steps: number,
): Finding {
  const { metrics, minSamples, alpha } = analysis
  const requests = { stable: stable.requests, candidate: candidate.requests }
  const enough = Math.min(stable.requests, candidate.requests) >= minSamples
  const share = alpha / (metrics.length * steps * 2)
  const found = metrics.map((metric): MetricFinding => {
    const { name, maxIncrease } = metric
    const [ours, theirs] = [stable, candidate].map((side) =>
      boundsOf(name, side, share, minSamples * TIGHT_AT),
    ) as [Bounds, Bounds]
    const least = theirs.low - ours.high
    const most = theirs.high - ours.low
    const worse = least > maxIncrease ? 'fails' : most <= maxIncrease ? 'passes' : 'inconclusive'
    return {
      name,
      verdict: enough ? worse : 'inconclusive',
      stable: seen(name, stable),
      candidate: seen(name, candidate),
      least: Number.isFinite(least) ? least : null,
      most: Number.isFinite(most) ? most : null,
      maxIncrease,
    }
  })
  const is = (verdict: Verdict) => (one: MetricFinding) => one.verdict === verdict
  const verdict = found.some(is('fails'))
    ? 'fails'
    : found.every(is('passes'))
      ? 'passes'
      : 'inconclusive'
  return { verdict, requests, metrics: found }
}

function boundsOf(
  name: MetricFinding['name'],
  side: SideCounts,
  alpha: number,
  tightAt: number,
): Bounds {
  const value = valueOf(name, side)
  return typeof value === 'number'
    ? rateBounds(value, side.requests, alpha)
    : meanBounds(side.requests, value, alpha, tightAt)
}

function seen(name: MetricFinding['name'], side: SideCounts): number | null {
  if (side.requests === 0) return null
  const value = valueOf(name, side)
  return (typeof value === 'number' ? value : value.sum) / side.requests
}

function valueOf(name: MetricFinding['name'], side: SideCounts): number | SideCounts['wallMs'] {
  switch (name) {
    case 'server-errors':
      return side.serverErrors
    case 'traps':
      return side.traps
    case 'denials':
      return side.denials
    case 'wall-time':
      return side.wallMs
    case 'host-calls':
      return side.hostCalls
  }
}
