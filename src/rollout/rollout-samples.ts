/** What nodes count of rollouts goes home with their metrics; here it is found among those of all nodes. */
import type { Sample } from '../observe/metric.ts'
import { FAMILIES } from '../observe/families.ts'
import {
  addCounts,
  type MetricCounts,
  NO_COUNTS,
  NO_METRIC_COUNTS,
  NO_ROLLOUT_COUNTS,
  type RolloutCounts,
  type SideCounts,
} from './counts.ts'
import type { Side } from './pick.ts'

/** By name: what of the counts a series is. */
const PARTS: Readonly<Record<string, (value: number) => Partial<SideCounts>>> = {
  [FAMILIES.rolloutRequests.name]: (requests) => ({ requests }),
  [FAMILIES.rolloutServerErrors.name]: (serverErrors) => ({ serverErrors }),
  [FAMILIES.rolloutDenials.name]: (denials) => ({ denials }),
  [FAMILIES.rolloutWall.name]: (sum) => ({ wallMs: { sum, squares: 0 } }),
  [FAMILIES.rolloutWallSquares.name]: (squares) => ({ wallMs: { sum: 0, squares } }),
  [FAMILIES.rolloutStreams.name]: (streams) => ({ streams }),
  [FAMILIES.rolloutTraps.name]: (traps) => ({ traps }),
  [FAMILIES.rolloutHostCalls.name]: (sum) => ({ hostCalls: { sum, squares: 0 } }),
  [FAMILIES.rolloutHostCallSquares.name]: (squares) => ({ hostCalls: { sum: 0, squares } }),
}

/** The same of series that have a plugin's metric among their labels. */
const METRIC_PARTS: Readonly<Record<string, keyof MetricCounts>> = {
  [FAMILIES.rolloutMetricDefined.name]: 'defined',
  [FAMILIES.rolloutMetricValues.name]: 'values',
  [FAMILIES.rolloutMetricSum.name]: 'sum',
  [FAMILIES.rolloutMetricSquares.name]: 'squares',
}

const LABELS =
  /^(?:metric="([^"]+)",)?mode="(shadow|log-only|enforce)",rollout="([^"]+)",run="(\d+)",side="(stable|candidate)"(?:,type="(\w+)")?$/

/** @returns by `<rollout>/<run>/<mode>`: what steps of one mode are compared by says nothing of another */
export function countsOf(samples: readonly Sample[]): ReadonlyMap<string, RolloutCounts> {
  const counts = new Map<string, RolloutCounts>()
  for (const sample of samples) {
    if (sample.kind === 'histogram') continue
    const [, metric, mode, rollout, run, side, type] = LABELS.exec(sample.labels) ?? []
    if (side === undefined) continue
    const found =
      metric === undefined
        ? partOf(sample.name, sample.value)
        : metricPart(sample.name, `${type} ${metric}`, sample.value)
    if (found === undefined) continue
    const key = `${rollout}/${run}/${mode}`
    const before = counts.get(key) ?? NO_ROLLOUT_COUNTS
    const own = side as Side
    counts.set(key, { ...before, [own]: addCounts(before[own], { ...NO_COUNTS, ...found }) })
  }
  return counts
}

function partOf(name: string, value: number): Partial<SideCounts> | undefined {
  return Object.hasOwn(PARTS, name) ? PARTS[name]?.(value) : undefined
}

function metricPart(name: string, key: string, value: number): Partial<SideCounts> | undefined {
  const part = Object.hasOwn(METRIC_PARTS, name) ? METRIC_PARTS[name] : undefined
  return part && { metrics: { [key]: { ...NO_METRIC_COUNTS, [part]: value } } }
}
