import { describe, expect, it } from 'vitest'
import type { SnapshotAnalysis } from '../config/snapshot-rollout.ts'
import { analyse } from './analysis.ts'
import { NO_COUNTS, NO_ROLLOUT_COUNTS, type SideCounts } from './counts.ts'
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
    ['traps', { traps: 60 }],
    ['denials', { denials: 60 }],
    ['wall-time', { wallMs: { sum: 5000, squares: 30_000 } }],
    ['host-calls', { hostCalls: { sum: 5000, squares: 30_000 } }],
  ] as const)('looks at %s', (name, worse: Partial<SideCounts>) => {
    const analysis = { ...ANALYSIS, metrics: [{ name, maxIncrease: 0.01 }] }
    const counts = { stable: side(100_000), candidate: { ...NO_COUNTS, requests: 1000, ...worse } }
    expect(analyse(analysis, counts, 1).verdict).toBe('fails')
    expect(analyse(analysis, { ...counts, candidate: side(1e6) }, 1).verdict).toBe('passes')
  })
})
