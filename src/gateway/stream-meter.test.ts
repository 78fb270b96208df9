import { describe, expect, it } from 'vitest'
import { type GuestMetric, MetricType, type Recorded, type Tally } from '../proxy-wasm/index.ts'
import { countsOf } from '../rollout/rollout-samples.ts'
import type { SideCounts } from '../rollout/counts.ts'
import { Meters } from './meters.ts'

const LABELS = { rollout: 'default.r', run: '1', mode: 'enforce', side: 'candidate' }

function counted(meters: Meters): SideCounts | undefined {
  return countsOf([...meters.registry.collect().samples()]).get('default.r/1/enforce')?.candidate
}

const once = (sum: number): Recorded => ({ count: 1, sum, squares: sum * sum })
const tally = (rest: Partial<Tally> = {}): Tally =>
  ({ failed: false, hostCalls: 0, ...rest }) as Tally
const counter = (name: string): GuestMetric => ({ type: MetricType.Counter, name })

describe('streams of a side', () => {
  it('are counted with what the plugin did in them', () => {
    const meters = new Meters()
    const meter = meters.streams(LABELS)
    meter.ended(tally({ hostCalls: 3 }))
    meter.ended(tally({ hostCalls: 5, failed: true }))
    expect(counted(meters)).toMatchObject({
      streams: 2,
      traps: 1,
      hostCalls: { sum: 8, squares: 34 },
      metrics: {},
    })
  })

  it('add to a counter as a whole, whatever its labels are, and to no other', () => {
    const meters = new Meters()
    const meter = meters.streams(LABELS, ['denied'])
    const [get, post, other] = ['m=.=GET;.;denied', 'm=.=POST;.;denied', 'denied_too'].map(counter)
    const defined = new Map([get, post, other].map((one, id) => [id, one as GuestMetric]))
    const metrics = new Map([get, post, other].map((one) => [one as GuestMetric, once(2)]))
    meter.ended(tally({ defined, metrics }))
    meter.ended(tally({ defined }))
    expect(counted(meters)?.metrics).toEqual({
      'counter denied': { defined: 1, values: 0, sum: 4, squares: 16 },
    })
  })

  it('add each value to a histogram', () => {
    const meters = new Meters()
    const meter = meters.streams(LABELS, ['my.size'])
    const size = { type: MetricType.Histogram, name: 'my.size' }
    const recorded = { count: 3, sum: 30, squares: 310 }
    meter.ended(tally({ defined: new Map([[3, size]]), metrics: new Map([[size, recorded]]) }))
    expect(counted(meters)?.metrics).toEqual({
      'histogram my.size': { defined: 1, values: 3, sum: 30, squares: 310 },
    })
  })

  it('tell of a metric that is defined, once, before anything is added to it', () => {
    const meters = new Meters()
    const meter = meters.streams(LABELS, ['denied', 'level'])
    const defined = new Map<number, GuestMetric>()
    meter.ended(tally({ defined }))
    expect(counted(meters)?.metrics).toEqual({})
    defined.set(1, counter('denied')).set(2, { type: MetricType.Gauge, name: 'level' })
    meter.ended(tally({ defined }))
    // another vm of the isolate defines it again
    meter.ended(tally({ defined: new Map([[1, counter('denied')]]) }))
    expect(counted(meters)?.metrics).toMatchObject({
      'counter denied': { defined: 1, sum: 0 },
      'gauge level': { defined: 1, sum: 0 },
    })
  })
})
