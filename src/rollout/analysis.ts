/**
 * Whether a candidate is worse than the stable version: one verdict over all metrics, that may be asked
 * for as often as one likes. Each side has bounds that hold at all times (`confidence.ts`); the candidate
 * fails when even the least difference between them is more than it may be, and passes when even the
 * greatest is not. The chance of a false alarm is shared out over metrics, steps and sides
 * (Bonferroni), so that it holds for the rollout as a whole.
 */
import type { SnapshotAnalysis, SnapshotAnalysisMetric } from '../config/snapshot-rollout.ts'
import { type Bounds, meanBounds, rateBounds } from './confidence.ts'
import type { RolloutCounts } from './counts.ts'
import { type Measured, measured } from './measured.ts'

/** `inconclusive`: it is too early to say; it may stay so. */
export type Verdict = 'passes' | 'fails' | 'inconclusive'

export interface MetricFinding {
  readonly name: SnapshotAnalysisMetric['name']
  /** Of a plugin's own: which. */
  readonly metric?: string
  readonly verdict: Verdict
  /** Why nothing can be said, where it is not that it is too early. */
  readonly reason?: string
  /** Shares of 1, milliseconds, calls or the metric's own unit: what was seen; null where nothing was. */
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
  const share = alpha / (metrics.length * steps * 2)
  const found = metrics.map((metric) => find(metric, { stable, candidate }, minSamples, share))
  const is = (verdict: Verdict) => (one: MetricFinding) => one.verdict === verdict
  const verdict = found.some(is('fails'))
    ? 'fails'
    : found.every(is('passes'))
      ? 'passes'
      : 'inconclusive'
  return { verdict, requests, metrics: found }
}

/** How people know a metric of a finding. */
export function metricTitle({ name, metric }: Pick<MetricFinding, 'name' | 'metric'>): string {
  return metric === undefined ? name : `${name} ${metric}`
}

/** @returns why nobody can tell, in a sentence without its end */
export function whyInconclusive(finding: Finding | undefined): string {
  const reasons = finding?.metrics.flatMap(({ reason }) => reason ?? []) ?? []
  return reasons.length === 0 ? 'nobody can tell the two apart yet' : reasons.join('; ')
}

/** @param alpha - the chance that the truth of one side is ever outside of its bounds */
function find(
  metric: SnapshotAnalysisMetric,
  counts: RolloutCounts,
  minSamples: number,
  alpha: number,
): MetricFinding {
  const { maxIncrease } = metric
  const sides = measured(metric, counts)
  const nothing = { stable: null, candidate: null, least: null, most: null }
  if (typeof sides === 'string') {
    return { ...metric, verdict: 'inconclusive', reason: sides, ...nothing }
  }
  const { stable, candidate } = sides
  const [ours, theirs] = [stable, candidate].map((side) =>
    boundsOf(side, alpha, minSamples * TIGHT_AT),
  ) as [Bounds, Bounds]
  const least = theirs.low - ours.high
  const most = theirs.high - ours.low
  const enough = Math.min(stable.samples, candidate.samples) >= minSamples
  const worse = least > maxIncrease ? 'fails' : most <= maxIncrease ? 'passes' : 'inconclusive'
  return {
    ...metric,
    verdict: enough ? worse : 'inconclusive',
    stable: seen(stable),
    candidate: seen(candidate),
    least: Number.isFinite(least) ? least : null,
    most: Number.isFinite(most) ? most : null,
  }
}

function boundsOf(side: Measured, alpha: number, tightAt: number): Bounds {
  const { samples } = side
  if (side.kind === 'share') return rateBounds(side.events, samples, alpha)
  // what is rare may not have come yet: where all values are one, the next by one need not be
  const unseen = side.counts ? -Math.log(alpha) / 2 : 0
  const { sum, squares } = side
  return meanBounds(samples, { sum, squares: squares + unseen }, alpha, tightAt)
}

function seen(side: Measured): number | null {
  if (side.samples === 0) return null
  return (side.kind === 'share' ? side.events : side.sum) / side.samples
}
