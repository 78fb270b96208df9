/** Cells, sources, and the end to how many series there may be. */
import { describe, expect, it } from 'vitest'
import { FAMILIES } from './families.ts'
import { GUEST_SERIES_MAX, GuestMetrics } from './guest-metrics.ts'
import type { Sample } from './metric.ts'
import { isOfPastRun } from './past-runs.ts'
import { Registry } from './registry.ts'
import { Totals } from './totals.ts'

const COUNTER = 0
const GAUGE = 1
const HISTOGRAM = 2

describe('the registry', () => {
  it('has one cell for one name and set of labels', () => {
    const registry = new Registry()
    const one = registry.counter(FAMILIES.upstreamTimeouts, { envoy_cluster_name: 'a' })
    expect(registry.counter(FAMILIES.upstreamTimeouts, { envoy_cluster_name: 'a' })).toBe(one)
    expect(registry.counter(FAMILIES.upstreamTimeouts, { envoy_cluster_name: 'b' })).not.toBe(one)
  })

  it('leaves out what was never counted, but not gauges', () => {
    const registry = new Registry()
    registry.counter(FAMILIES.noRoute)
    registry.histogram(FAMILIES.duration)
    registry.gauge(FAMILIES.vmsActive)
    expect(registry.collect().samples()).toMatchObject([
      { name: FAMILIES.vmsActive.name, value: 0 },
    ])
  })

  it('adds up series of one name from several sources', () => {
    const registry = new Registry()
    const sample: Sample = { kind: 'counter', name: 'x', labels: '', value: 2 }
    registry.addSource(() => [sample, sample])
    registry.addSource(() => [sample])
    expect(registry.collect().samples()).toEqual([{ ...sample, value: 6 }])
  })
})

describe('what was counted of rollouts', () => {
  const labels = (run: number, rollout = 'default.next'): Record<string, string> => ({
    mode: 'enforce',
    rollout,
    run: `${run}`,
    side: 'stable',
  })

  it('is forgotten when its run is over and nobody counts in it any more', () => {
    const registry = new Registry()
    const first = registry.counter(FAMILIES.rolloutRequests, labels(1))
    registry.counter(FAMILIES.rolloutRequests, labels(2)).add(3)
    registry.counter(FAMILIES.rolloutRequests, labels(1, 'default.other')).add(4)
    first.add(2)
    const look = (): unknown[] => {
      const values = registry.collect().samples()
      registry.forget((text) => isOfPastRun(text, { 'default.next': { run: 2 } }))
      return values.flatMap((one) => (one.kind === 'counter' ? [one.value] : []))
    }
    // one of a rollout that is not known any more goes as well
    expect(look()).toEqual([2, 3, 4])
    // a request that began before
    first.add()
    expect(look()).toEqual([3, 3, 4])
    expect(look()).toEqual([3, 3])
    expect(look()).toEqual([3])
    expect(look()).toEqual([3])
  })

  it('stays as small as it is, however often a rollout is started', () => {
    const registry = new Registry()
    for (let run = 1; run <= 500; run++) {
      registry.counter(FAMILIES.rolloutRequests, labels(run)).add()
      registry.counter(FAMILIES.shadowRuns, { result: 'equal', rollout: 'a', run: `${run}` }).add()
      registry.counter(FAMILIES.noRoute).add()
      registry.forget((text) => isOfPastRun(text, { 'default.next': { run }, a: { run } }))
    }
    expect(registry.collect().samples().length).toBeLessThan(10)
  })
})

describe('guest metrics', () => {
  it('join with names and labels', () => {
    const guests = new GuestMetrics()
    const { port } = guests
    port.increment(port.define(COUNTER, 'code=.=200;.;answers'), 2n)
    port.increment(port.define(GAUGE, 'open'), -1n)
    port.record(port.define(HISTOGRAM, 'ms'), 3n)
    expect(guests.samples()).toMatchObject([
      { kind: 'counter', name: 'answers', labels: 'code="200"', value: 2 },
      { kind: 'gauge', name: 'open', labels: '', value: -1 },
      { kind: 'histogram', name: 'ms', labels: '', count: 1, sum: 3 },
    ])
  })

  it('have ids by type as in Envoy', () => {
    const { port } = new GuestMetrics()
    const defined = [COUNTER, COUNTER, GAUGE, GAUGE, HISTOGRAM, HISTOGRAM] as const
    expect(defined.map((type, index) => port.define(type, `m${index}`))).toEqual([
      4, 8, 5, 9, 6, 10,
    ])
  })

  it('beyond the cap count in one series, and it is said how many', () => {
    const guests = new GuestMetrics()
    const { port } = guests
    for (let i = 0; i < GUEST_SERIES_MAX + 5; i++) {
      port.increment(port.define(COUNTER, `path=.=/${i};.;seen`), 1n)
    }
    const samples = guests.samples()
    expect(samples).toHaveLength(GUEST_SERIES_MAX + 2)
    expect(samples.slice(-2)).toMatchObject([
      { name: FAMILIES.overflow.name, value: 5 },
      { name: FAMILIES.definitionsDropped.name, value: 5 },
    ])
  })
})

describe('totals', () => {
  const sample = (name: string, value: number): Sample => ({
    kind: 'counter',
    name,
    labels: '',
    value,
  })

  it('beyond the cap go to one series for each kind', () => {
    const totals = new Totals(1)
    totals.add([sample('a', 1), sample('b', 2), sample('c', 3), sample('a', 4)])
    expect(totals.samples()).toEqual([sample('a', 5), sample(FAMILIES.overflow.name, 5)])
    expect(totals.dropped).toBe(2)
  })

  it('of gauges are the sum or the greatest', () => {
    const totals = new Totals()
    const gauge = (value: number): Sample => ({ kind: 'gauge', name: 'g', labels: '', value })
    totals.add([gauge(3), gauge(2)], () => 'max')
    expect(totals.samples()).toEqual([gauge(3)])
    totals.add([gauge(2)])
    expect(totals.samples()).toEqual([gauge(5)])
  })
})
