/** Ids, arithmetic and bounds of guest metrics. */
import { describe, expect, it } from 'vitest'
import { MetricType, Status } from '../abi/enums.ts'
import { InMemoryMetrics } from './metrics.ts'

const { Counter, Gauge, Histogram } = MetricType

describe('metric ids', () => {
  it('hold the type in their low two bits', () => {
    const metrics = new InMemoryMetrics()
    expect([metrics.define(Counter, 'a'), metrics.define(Counter, 'b')]).toEqual([4, 8])
    expect([metrics.define(Gauge, 'a'), metrics.define(Gauge, 'b')]).toEqual([5, 9])
    expect([metrics.define(Histogram, 'a'), metrics.define(Histogram, 'b')]).toEqual([6, 10])
  })

  it('are the same for a name and type defined before', () => {
    const metrics = new InMemoryMetrics()
    const id = metrics.define(Counter, 'requests')
    metrics.increment(id, 2n)
    expect(metrics.define(Counter, 'requests')).toBe(id)
    expect(metrics.get(id)).toEqual({ value: 2n })
  })

  it('lead to one shared series beyond the cap', () => {
    const metrics = new InMemoryMetrics(2)
    metrics.define(Counter, 'a')
    metrics.define(Counter, 'b')
    const c = metrics.define(Counter, 'c')
    expect(metrics.define(Counter, 'd')).toBe(c)
    expect(metrics.increment(c, 1n)).toBe(Status.Ok)
    expect(metrics.snapshot().at(-1)).toEqual({
      type: 'counter',
      name: 'postern_metric_overflow',
      value: 1,
    })
  })
})

describe('counters', () => {
  it('add, by increment and by record', () => {
    const metrics = new InMemoryMetrics()
    const id = metrics.define(Counter, 'n')
    expect(metrics.increment(id, 3n)).toBe(Status.Ok)
    expect(metrics.record(id, 4n)).toBe(Status.Ok)
    expect(metrics.get(id)).toEqual({ value: 7n })
  })

  it('refuse to stand still or go back', () => {
    const metrics = new InMemoryMetrics()
    const id = metrics.define(Counter, 'n')
    expect(metrics.increment(id, 0n)).toBe(Status.BadArgument)
    expect(metrics.increment(id, -1n)).toBe(Status.BadArgument)
  })
})

describe('gauges', () => {
  it('move both ways and are set by record', () => {
    const metrics = new InMemoryMetrics()
    const id = metrics.define(Gauge, 'open')
    metrics.record(id, 10n)
    metrics.increment(id, -3n)
    expect(metrics.get(id)).toEqual({ value: 7n })
    metrics.increment(id, -9n)
    expect(metrics.snapshot()).toEqual([{ type: 'gauge', name: 'open', value: -2 }])
  })
})

describe('histograms', () => {
  it('count observations into buckets', () => {
    const metrics = new InMemoryMetrics()
    const id = metrics.define(Histogram, 'ms')
    for (const value of [0n, 1n, 30n, 10_000_000n]) metrics.record(id, value)
    const [snapshot] = metrics.snapshot()
    expect(snapshot).toMatchObject({ type: 'histogram', count: 4, sum: 10_000_031 })
    const buckets = snapshot?.type === 'histogram' ? snapshot.buckets : []
    expect(buckets.find(({ le }) => le === 1)?.count).toBe(2)
    expect(buckets.find(({ le }) => le === 50)?.count).toBe(3)
    expect(buckets.at(-1)?.count).toBe(3)
  })

  it('can be neither incremented nor read', () => {
    const metrics = new InMemoryMetrics()
    const id = metrics.define(Histogram, 'ms')
    expect(metrics.increment(id, 1n)).toBe(Status.BadArgument)
    expect(metrics.get(id)).toEqual({ status: Status.BadArgument })
  })
})

describe('unknown metrics', () => {
  it('are NotFound', () => {
    const metrics = new InMemoryMetrics()
    expect(metrics.increment(4, 1n)).toBe(Status.NotFound)
    expect(metrics.record(5, 1n)).toBe(Status.NotFound)
    expect(metrics.get(5)).toEqual({ status: Status.NotFound })
  })

  it('are BadArgument where their type has no value', () => {
    const metrics = new InMemoryMetrics()
    expect(metrics.increment(6, 1n)).toBe(Status.BadArgument)
    expect(metrics.get(7)).toEqual({ status: Status.BadArgument })
    expect(metrics.record(6, 1n)).toBe(Status.NotFound)
  })
})
