import { describe, expect, it } from 'vitest'
import { FAMILIES } from '../observe/families.ts'
import { Registry } from '../observe/registry.ts'
import { countsOf } from './rollout-samples.ts'

describe('the counts of a rollout', () => {
  it('are found among the metrics of all nodes, by run, mode and side', () => {
    const registry = new Registry()
    const labels = (side: string, run = '2', mode = 'enforce'): Record<string, string> => ({
      rollout: 'default.r',
      run,
      mode,
      side,
    })
    registry.counter(FAMILIES.rolloutRequests, labels('stable')).add(100)
    registry.counter(FAMILIES.rolloutServerErrors, labels('stable')).add(3)
    registry.counter(FAMILIES.rolloutRequests, labels('candidate')).add(10)
    registry.counter(FAMILIES.rolloutDenials, labels('candidate')).add(4)
    registry.counter(FAMILIES.rolloutWall, labels('candidate')).add(50)
    registry.counter(FAMILIES.rolloutWallSquares, labels('candidate')).add(500)
    registry.counter(FAMILIES.rolloutRequests, labels('candidate', '1')).add(7)
    registry.counter(FAMILIES.rolloutRequests, labels('stable', '2', 'shadow')).add(5)
    registry.counter(FAMILIES.rolloutStreams, labels('candidate')).add(9)
    registry.counter(FAMILIES.rolloutTraps, labels('candidate')).add(2)
    registry.counter(FAMILIES.rolloutHostCalls, labels('candidate')).add(27)
    registry.counter(FAMILIES.rolloutHostCallSquares, labels('candidate')).add(81)
    const metric = { ...labels('candidate'), metric: 'my.size', type: 'histogram' }
    registry.counter(FAMILIES.rolloutMetricDefined, metric).add(1)
    registry.counter(FAMILIES.rolloutMetricValues, metric).add(3)
    registry.counter(FAMILIES.rolloutMetricSum, metric).add(30)
    registry.counter(FAMILIES.rolloutMetricSquares, metric).add(310)
    registry.counter(FAMILIES.requests, { envoy_response_code_class: '2' }).add(99)
    const counts = countsOf([...registry.collect().samples()])
    expect([...counts.keys()].sort()).toEqual([
      'default.r/1/enforce',
      'default.r/2/enforce',
      'default.r/2/shadow',
    ])
    expect(counts.get('default.r/2/enforce')).toMatchObject({
      stable: { requests: 100, serverErrors: 3, denials: 0 },
      candidate: {
        requests: 10,
        denials: 4,
        wallMs: { sum: 50, squares: 500 },
        streams: 9,
        traps: 2,
        hostCalls: { sum: 27, squares: 81 },
        metrics: { 'histogram my.size': { defined: 1, values: 3, sum: 30, squares: 310 } },
      },
    })
    expect(counts.get('default.r/1/enforce')).toMatchObject({ candidate: { requests: 7 } })
    expect(counts.get('default.r/2/shadow')).toMatchObject({ stable: { requests: 5 } })
  })
})
