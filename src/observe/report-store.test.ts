/** Batches that come twice, late or never count once each, over restarts and the coming and going of isolates. */
import { describe, expect, it } from 'vitest'
import { FAMILIES } from './families.ts'
import type { Sample } from './metric.ts'
import type { Report } from './report.ts'
import { ReportStore } from './report-store.ts'
import { memoryRecords } from './testing/memory-records.ts'

const HOUR = 60 * 60 * 1000
const GONE = 60_000

const counter = (value: number, name = 'seen'): Sample => ({
  kind: 'counter',
  name,
  labels: '',
  value,
})
const gauge = (value: number, name = 'open'): Sample => ({ kind: 'gauge', name, labels: '', value })

function report(
  isolate: string,
  sequence: number,
  metrics: readonly Sample[],
  more: Partial<Report> = {},
): Report {
  const facts = { node: 'ams', revision: 1, snapshot: 'ab', refusals: [] }
  return { ...facts, isolate, sequence, metrics, ...more }
}

function store(records = memoryRecords()) {
  const reports = new ReportStore({ storage: records, goneAfterMs: GONE })
  const value = (name: string, now: number, node?: string): number | undefined => {
    const found = reports.view(now, node).metrics.find((sample) => sample.name === name)
    return found?.kind === 'histogram' ? found.count : found?.value
  }
  return { reports, records, value }
}

describe('batches', () => {
  it('of several isolates are added up', () => {
    const { reports, value } = store()
    reports.accept(report('a', 1, [counter(2), gauge(3)]), 0)
    reports.accept(report('b', 1, [counter(5), gauge(4)]), 0)
    expect([value('seen', 0), value('open', 0)]).toEqual([7, 7])
  })

  it('that come twice or late count once', () => {
    const { reports, value } = store()
    const first = report('a', 1, [counter(2)])
    const second = report('a', 2, [counter(3)])
    expect(reports.accept(first, 0).acknowledged).toBe(1)
    expect(reports.accept(first, 0).acknowledged).toBe(1)
    expect(reports.accept(second, 0).acknowledged).toBe(2)
    expect(reports.accept(first, 0).acknowledged).toBe(2)
    expect(value('seen', 0)).toBe(5)
  })

  it('that never came are counted as lost', () => {
    const { reports, value } = store()
    reports.accept(report('a', 1, [counter(2)]), 0)
    reports.accept(report('a', 4, [counter(2)]), 0)
    expect([value('seen', 0), value(FAMILIES.reportsLost.name, 0)]).toEqual([4, 2])
  })

  it('cost one write each, and none when they come again', () => {
    const { reports, records } = store()
    const first = report(
      'a',
      1,
      Array.from({ length: 200 }, (_, i) => counter(1, `m${i}`)),
    )
    reports.accept(first, 0)
    reports.accept(first, 0)
    expect(records.writes).toBe(1)
  })

  it('are still there after a restart, with their numbers', () => {
    const { reports, records } = store()
    reports.accept(report('a', 1, [counter(2)]), 0)
    reports.announce({ revision: 3, snapshot: 'cd' })
    const again = store(records)
    const reply = again.reports.accept(report('a', 1, [counter(2)]), 0)
    expect(reply).toEqual({ acknowledged: 1, active: { revision: 3, snapshot: 'cd' } })
    expect(again.value('seen', 0)).toBe(2)
  })

  it('add up histograms', () => {
    const { reports } = store()
    const histogram = (sum: number, buckets: readonly number[]): Sample => ({
      kind: 'histogram',
      name: 'ms',
      labels: '',
      count: 2,
      sum,
      buckets,
    })
    reports.accept(report('a', 1, [histogram(3, [1, 2])]), 0)
    reports.accept(report('a', 2, [histogram(4, [0, 2])]), 0)
    expect(reports.view(0).metrics).toContainEqual({ ...histogram(7, [1, 4]), count: 4 })
  })

  it('beyond the cap on series go to one', () => {
    const { reports, value } = store()
    for (const [index, isolate] of ['a', 'b'].entries()) {
      const many = Array.from({ length: 9_000 }, (_, i) => counter(1, `m${index}_${i}`))
      reports.accept(report(isolate, 1, many), 0)
    }
    expect(value(FAMILIES.overflow.name, 0)).toBe(8_000)
    expect(value(FAMILIES.seriesDropped.name, 0)).toBe(8_000)
  })
})

describe('isolates', () => {
  it('that fall silent drop out of gauges and keep their counters', () => {
    const { reports, value } = store()
    reports.accept(report('a', 1, [counter(2), gauge(3)]), 0)
    reports.accept(report('b', 1, [counter(5), gauge(4)]), GONE)
    expect([value('seen', GONE + 1), value('open', GONE + 1)]).toEqual([7, 4])
    expect(value(FAMILIES.isolates.name, GONE + 1)).toBe(1)
  })

  it('that are silent for an hour are folded, and their last batch still counts once', () => {
    const { reports, records, value } = store()
    reports.accept(report('a', 1, [counter(2)]), 0)
    reports.accept(report('b', 1, [counter(5)]), HOUR)
    expect([...records.values.keys()].sort()).toEqual(['isolate:b', 'node:ams', 'trace:a'])
    reports.accept(report('a', 1, [counter(2)]), HOUR)
    expect(value('seen', HOUR)).toBe(7)
    reports.accept(report('a', 2, [counter(1)]), HOUR)
    expect(value('seen', HOUR)).toBe(8)
    expect(store(records).value('seen', HOUR)).toBe(8)
    reports.accept(report('c', 1, []), 30 * HOUR)
    expect([...records.values.keys()]).not.toContain('trace:a')
  })

  it('are shown by node, with what they run and refused', () => {
    const { reports, value } = store()
    const refusal = { code: 'config.snapshot_hash', message: 'x', at: 't', revision: 2 }
    reports.accept(report('a', 1, [counter(1), gauge(2, FAMILIES.revision.name)]), 0)
    reports.accept(
      report('b', 1, [counter(1)], { node: 'fra', revision: 2, refusals: [refusal] }),
      0,
    )
    expect(reports.view(0).nodes).toMatchObject([
      { node: 'ams', isolates: [{ isolate: 'a', revision: 1 }] },
      { node: 'fra', isolates: [{ isolate: 'b', revision: 2, refusals: [refusal] }] },
    ])
    expect(reports.view(0).active).toBeNull()
    expect(value(FAMILIES.isolatesBehind.name, 0)).toBe(1)
    expect([value('seen', 0), value('seen', 0, 'fra'), value('seen', 0, 'xyz')]).toEqual([
      2,
      1,
      undefined,
    ])
  })
})

describe('storage is bounded', () => {
  it('by folding those that have been silent longest when there are too many isolates', () => {
    const { reports, records, value } = store()
    for (let i = 0; i < 2_010; i++) reports.accept(report(`i${i}`, 1, [counter(1)]), i)
    const keys = [...records.values.keys()]
    expect(keys.filter((key) => key.startsWith('isolate:'))).toHaveLength(2_000)
    expect(keys).toContain('trace:i0')
    expect(value('seen', 2_010)).toBe(2_010)
    // one that was folded while it lived goes on counting
    reports.accept(report('i0', 1, [counter(1)]), 2_011)
    reports.accept(report('i0', 2, [counter(1)]), 2_011)
    expect(value('seen', 2_011)).toBe(2_011)
  })

  it('by keeping the counters of too many nodes as one', () => {
    const { reports, records, value } = store()
    for (let i = 0; i < 1_005; i++) {
      reports.accept(report(`i${i}`, 1, [counter(1)], { node: `store-${i}` }), 0)
    }
    reports.accept(report('last', 1, []), HOUR)
    const nodes = [...records.values.keys()].filter((key) => key.startsWith('node:'))
    expect(nodes).toHaveLength(1_001)
    expect(nodes).toContain('node:(others)')
    expect(value('seen', HOUR)).toBe(1_005)
    expect(reports.view(HOUR).nodes.map(({ node }) => node)).toEqual(['ams'])
  })
})

describe('what is active', () => {
  it('goes out with every reply, and never back', () => {
    const { reports } = store()
    expect(reports.accept(report('a', 1, []), 0).active).toBeNull()
    reports.announce({ revision: 2, snapshot: 'b' })
    reports.announce({ revision: 1, snapshot: 'a' })
    expect(reports.accept(report('a', 2, []), 0).active).toEqual({ revision: 2, snapshot: 'b' })
  })
})

describe('where rollouts are', () => {
  const document = { version: 7, rollouts: {}, kills: [{ plugin: 'p' }] }

  it('goes out to those who know an older document, and to nobody else', () => {
    const { reports } = store()
    const reply = (sequence: number, rolloutsVersion?: number): unknown =>
      reports.accept(
        report('a', sequence, [], rolloutsVersion === undefined ? {} : { rolloutsVersion }),
        0,
      ).rollouts
    expect(reply(1, 0)).toBeUndefined()
    reports.announceRollouts(document)
    expect(reply(2, 0)).toEqual(document)
    expect(reply(3, 6)).toEqual(document)
    // a batch that comes again is answered, too
    expect(reply(3, 6)).toEqual(document)
    expect(reply(4, 7)).toBeUndefined()
    expect(reply(5, 8)).toBeUndefined()
    // an older Postern
    expect(reply(6)).toBeUndefined()
  })

  const MINUTE = 60_000
  const requests = (run: number, value: number): Sample => ({
    ...counter(value, FAMILIES.rolloutRequests.name),
    labels: `mode="enforce",rollout="default.next",run="${run}",side="stable"`,
  })

  it('says what no longer counts: a rollout that is started every day for a year has one run', () => {
    const { reports, records } = store()
    const metrics = (now: number): readonly Sample[] =>
      reports.view(now).metrics.filter(({ name }) => name === FAMILIES.rolloutRequests.name)
    const own: Sample = { ...counter(5), labels: 'rollout="default.next",run="1"' }
    reports.accept(report('own', 1, [own]), 0)
    for (let run = 1; run <= 365; run++) {
      const now = run * 24 * HOUR
      const at = { rolloutsVersion: run }
      reports.announceRollouts({ version: run, rollouts: { 'default.next': { run } } })
      // an isolate a day, which is folded into its node; one that is here all the time; one that is late
      reports.accept(report(`day-${run}`, 1, [requests(run, 2)], at), now)
      reports.accept(report('here', run, [requests(run, 3)], at), now)
      reports.accept(report('late', run, [requests(run - 1, 1)], at), now + MINUTE)
    }
    const end = 366 * 24 * HOUR
    reports.accept(report('last', 1, [], { rolloutsVersion: 365 }), end)
    expect(metrics(end)).toEqual([requests(365, 5)])
    const text = [...records.values.values()].join()
    expect(text.length).toBeLessThan(5_000)
    // labels of a plugin's own metrics are the plugin's matter
    expect(reports.view(end).metrics).toContainEqual(own)
  })

  it('keeps what isolates count of a run that they have heard of first', () => {
    const { reports } = store()
    reports.announceRollouts({ version: 1, rollouts: {} })
    reports.accept(report('a', 1, [requests(1, 4)], { rolloutsVersion: 2 }), HOUR)
    reports.accept(report('a', 2, [], { rolloutsVersion: 2 }), HOUR + MINUTE)
    expect(reports.view(HOUR + MINUTE).metrics).toContainEqual(requests(1, 4))
  })

  it('goes out to those who know a document of another controller, whatever its number', () => {
    const { reports } = store()
    reports.announceRollouts({ ...document, publisher: 'new' })
    const reply = (sequence: number, rolloutsPublisher: string): unknown =>
      reports.accept(report('a', sequence, [], { rolloutsVersion: 9, rolloutsPublisher }), 0)
        .rollouts
    expect(reply(1, 'new')).toBeUndefined()
    expect(reply(2, 'old')).toEqual({ ...document, publisher: 'new' })
  })

  it('begins anew with a controller that does', () => {
    const { reports } = store()
    const said = (): unknown =>
      reports.accept(report('a', 1, [], { rolloutsVersion: 0 }), 0).rollouts
    reports.announceRollouts({ ...document, publisher: 'old' })
    const anew = { ...document, version: 1, publisher: 'new' }
    reports.announceRollouts(anew)
    expect(said()).toEqual(anew)
    // without a name it may be anybody's: numbers count
    reports.announceRollouts({ ...document, version: 1 })
    expect(said()).toEqual(anew)
  })

  it('never goes back, and survives a restart', () => {
    const { reports, records } = store()
    reports.announceRollouts(document)
    reports.announceRollouts({ ...document, version: 6 })
    const again = store(records).reports
    expect(again.accept(report('a', 1, [], { rolloutsVersion: 0 }), 0).rollouts).toEqual(document)
  })
})
