import { describe, expect, it } from 'vitest'
import type { SnapshotAnalysis } from '../config/snapshot-rollout.ts'
import { analyse, type MetricFinding, whyInconclusive } from './analysis.ts'
import {
  addCounts,
  countsSince,
  type MetricCounts,
  NO_COUNTS,
  NO_METRIC_COUNTS,
  NO_ROLLOUT_COUNTS,
  type SideCounts,
} from './counts.ts'
import { errors, side } from './testing/counts.ts'

const ANALYSIS: SnapshotAnalysis = {
  metrics: [{ name: 'server-errors', maxIncrease: 0.01 }],
  minSamples: 100,
  alpha: 0.01,
}

describe('a verdict', () => {
  it('fails a candidate with clearly more errors than it may have', () => {
    expect(analyse(ANALYSIS, errors([100_000, 500], [2000, 110]), 1)).toMatchObject({
      verdict: 'fails',
      requests: { stable: 100_000, candidate: 2000 },
      metrics: [{ name: 'server-errors', stable: 0.005, candidate: 0.055, maxIncrease: 0.01 }],
    })
  })

  it('passes one that has not more of them, once there are enough requests to say so', () => {
    expect(analyse(ANALYSIS, errors([1000, 5], [1000, 5]), 1).verdict).toBe('inconclusive')
    expect(analyse(ANALYSIS, errors([100_000, 500], [100_000, 500]), 1).verdict).toBe('passes')
  })

  it('allows what may be more', () => {
    expect(analyse(ANALYSIS, errors([1e6, 5000], [1e6, 13_000]), 1).verdict).toBe('passes')
    expect(analyse(ANALYSIS, errors([1e6, 5000], [1e6, 17_000]), 1).verdict).toBe('fails')
  })

  it('says nothing before each side has the least number of requests', () => {
    expect(analyse(ANALYSIS, errors([1e6, 0], [99, 99]), 1).verdict).toBe('inconclusive')
    expect(analyse(ANALYSIS, errors([99, 0], [1e6, 1e6]), 1).verdict).toBe('inconclusive')
    expect(analyse(ANALYSIS, errors([1e6, 0], [100, 100]), 1).verdict).toBe('fails')
  })

  it('has nothing to show where nothing was counted', () => {
    expect(analyse(ANALYSIS, NO_ROLLOUT_COUNTS, 1)).toMatchObject({
      verdict: 'inconclusive',
      metrics: [{ stable: null, candidate: null, least: -1, most: 1 }],
    })
  })

  it('wants more to be sure with more metrics and more steps, for one false alarm in all', () => {
    const counts = errors([1e6, 5000], [400, 16])
    const most = (analysis: SnapshotAnalysis, steps: number): number =>
      analyse(analysis, counts, steps).metrics[0]?.most ?? 0
    const two = {
      ...ANALYSIS,
      metrics: [...ANALYSIS.metrics, { name: 'traps' as const, maxIncrease: 1 }],
    }
    expect(most(two, 1)).toBeGreaterThan(most(ANALYSIS, 1))
    expect(most(ANALYSIS, 5)).toBeGreaterThan(most(ANALYSIS, 1))
  })

  it('passes when all metrics do, and fails when one does', () => {
    const metrics = (['server-errors', 'denials'] as const).map((name) => ({
      name,
      maxIncrease: 0.01,
    }))
    const verdict = (stable: number, candidate: number): string =>
      analyse(
        { ...ANALYSIS, metrics },
        { stable: side(1e6, { denials: stable }), candidate: side(1e6, { denials: candidate }) },
        1,
      ).verdict
    expect(verdict(1000, 1000)).toBe('passes')
    expect(verdict(1000, 15_000)).toBe('fails')
    expect(verdict(1000, 11_000)).toBe('inconclusive')
  })

  it.each([
    ['traps', { streams: 1000, traps: 60 }],
    ['denials', { denials: 60 }],
    ['wall-time', { wallMs: { sum: 5000, squares: 30_000 } }],
    ['host-calls', { streams: 1000, hostCalls: { sum: 5000, squares: 30_000 } }],
  ] as const)('looks at %s', (name, worse: Partial<SideCounts>) => {
    const analysis = { ...ANALYSIS, metrics: [{ name, maxIncrease: 0.01 }] }
    const counts = { stable: side(100_000), candidate: { ...NO_COUNTS, requests: 1000, ...worse } }
    expect(analyse(analysis, counts, 1).verdict).toBe('fails')
    expect(analyse(analysis, { ...counts, candidate: side(1e6) }, 1).verdict).toBe('passes')
  })
})

/** What the analysis says of one metric of the plugin's own, by its series on each side. */
function own(stable: Partial<SideCounts>, candidate: Partial<SideCounts>): MetricFinding {
  const analysis: SnapshotAnalysis = {
    ...ANALYSIS,
    metrics: [{ name: 'plugin-metric', metric: 'denied', maxIncrease: 0.1 }],
  }
  const counts = { stable: side(10_000, stable), candidate: side(10_000, candidate) }
  const [found] = analyse(analysis, counts, 1).metrics
  if (found === undefined) throw new Error('one metric was asked for')
  return found
}

const metric = (type: string, counts: Partial<MetricCounts>): Partial<SideCounts> => ({
  metrics: { [`${type} denied`]: { ...NO_METRIC_COUNTS, defined: 1, ...counts } },
})
const counter = (each: number): Partial<SideCounts> =>
  metric('counter', { sum: 10_000 * each, squares: 10_000 * each })

describe("a plugin's own metric", () => {
  it('is, of a counter, how much each request adds to it', () => {
    expect(own(counter(0.1), counter(0.5))).toMatchObject({
      verdict: 'fails',
      metric: 'denied',
      stable: 0.1,
      candidate: 0.5,
    })
    expect(own(counter(0.1), counter(0.12)).verdict).toBe('passes')
    expect(own(counter(0.1), counter(0.2)).verdict).toBe('inconclusive')
  })

  it('is, of a histogram, how great its values are, however many there are', () => {
    const values = (count: number, mean: number): Partial<SideCounts> =>
      metric('histogram', {
        values: count,
        sum: count * mean,
        squares: count * (mean * mean + 0.01),
      })
    expect(own(values(50_000, 3), values(900, 4))).toMatchObject({
      verdict: 'fails',
      stable: 3,
      candidate: 4,
    })
    expect(own(values(5000, 3), values(900, 3)).verdict).toBe('passes')
    expect(own(values(50_000, 3), values(99, 4)).verdict).toBe('inconclusive')
  })

  it('that one version alone has defined was never counted by the other', () => {
    expect(own({}, counter(0.5))).toMatchObject({ verdict: 'fails', stable: 0 })
    expect(own(counter(0.5), {})).toMatchObject({ verdict: 'passes', candidate: 0 })
  })

  it('that nobody has defined, or that is no sum, says nothing, and why', () => {
    expect(own({}, {})).toMatchObject({
      verdict: 'inconclusive',
      reason: 'no version of the plugin has defined a metric denied so far',
      stable: null,
    })
    expect(own(metric('gauge', { sum: 5 }), {}).reason).toMatch(/^denied is a gauge/)
    expect(own(counter(1), metric('histogram', { values: 5 })).reason).toMatch(
      /not of one type: counter, histogram/,
    )
  })

  it('that is rare is not taken for one that never comes', () => {
    // 200 requests without any say little about one in fifty
    const quiet = { ...counter(0), streams: 200 }
    expect(own(counter(0), quiet).most).toBeGreaterThan(0.02)
    expect(own(counter(0), counter(0)).most).toBeLessThan(0.005)
  })

  it('is the reason that people are told while nobody can tell', () => {
    const finding = (name: 'traps' | 'plugin-metric'): string =>
      whyInconclusive(
        analyse(
          { ...ANALYSIS, metrics: [{ name, metric: 'denied', maxIncrease: 1 }] },
          NO_ROLLOUT_COUNTS,
          1,
        ),
      )
    expect(finding('plugin-metric')).toMatch(/has defined a metric denied/)
    expect(finding('traps')).toBe('nobody can tell the two apart yet')
  })
})

describe('what streams did', () => {
  it('waits for the streams, not for the answers', () => {
    const analysis = { ...ANALYSIS, metrics: [{ name: 'traps' as const, maxIncrease: 0.01 }] }
    const stable = side(10_000)
    const bad = side(10_000, { streams: 99, traps: 99 })
    expect(analyse(analysis, { stable, candidate: bad }, 1).verdict).toBe('inconclusive')
    const more = { ...bad, streams: 100 }
    expect(analyse(analysis, { stable, candidate: more }, 1).verdict).toBe('fails')
  })

  it('is taken since the step began; a metric that was defined before is', () => {
    const before = side(100, { traps: 3, ...metric('counter', { sum: 10, squares: 20 }) })
    const now = addCounts(
      before,
      side(50, { traps: 1, ...metric('counter', { defined: 0, sum: 5 }) }),
    )
    expect(countsSince(now, before)).toMatchObject({
      streams: 50,
      traps: 1,
      metrics: { 'counter denied': { defined: 1, sum: 5, squares: 0 } },
    })
  })

  it('is counted from nothing where a version kept less', () => {
    const { streams: _, metrics: __, ...kept } = side(100)
    expect(countsSince(side(150), kept as SideCounts)).toMatchObject({ requests: 50, streams: 150 })
  })
})
