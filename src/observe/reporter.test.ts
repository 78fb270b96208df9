/** When an isolate reports, and that nothing counted is lost or counted twice whatever becomes of a batch. */
import { describe, expect, it } from 'vitest'
import { FAMILIES } from './families.ts'
import { Registry } from './registry.ts'
import type { MergedView, Report, ReportReply, ReportSink } from './report.ts'
import { ReportRefused } from './report-refused.ts'
import { Reporter } from './reporter.ts'
import { ReportStore } from './report-store.ts'
import { memoryRecords } from './testing/memory-records.ts'

type Line = (report: Report, store: ReportStore) => Promise<ReportReply>

const sound: Line = (report, store) => Promise.resolve(store.accept(report, 0))
const down: Line = () => Promise.reject(new Error('down'))
/** Taken in, but the answer is lost. */
const deaf: Line = (report, store) => {
  store.accept(report, 0)
  return Promise.reject(new Error('cut off'))
}

function isolate(store = new ReportStore({ storage: memoryRecords(), goneAfterMs: 1_000 })) {
  const registry = new Registry()
  const seen = registry.counter(FAMILIES.noRoute)
  const sent: Report[] = []
  const replies: ReportReply[] = []
  const waited: number[] = []
  const pending: Promise<unknown>[] = []
  const scope = { waitUntil: (promise: Promise<unknown>) => void pending.push(promise) }
  const line = { now: sound }
  const sink: ReportSink = {
    send(report) {
      sent.push(report)
      return line.now(report, store)
    },
    view: (node): Promise<MergedView> => Promise.resolve(store.view(0, node)),
  }
  const reporter = new Reporter({
    sink,
    registry,
    facts: () => ({ node: 'ams', revision: 7, snapshot: null, refusals: [] }),
    everyMs: 15_000,
    onReply: (reply) => void replies.push(reply),
    sleep: (ms) => {
      waited.push(ms)
      return Promise.resolve()
    },
  })
  const total = (): number => {
    const found = store.view(0).metrics.find(({ name }) => name === FAMILIES.noRoute.name)
    return found?.kind === 'counter' ? found.value : 0
  }
  return { store, seen, sent, replies, waited, pending, scope, line, reporter, total }
}

describe('a report', () => {
  it('has what grew since the one before', async () => {
    const { reporter, scope, seen, sent, total } = isolate()
    seen.add(3)
    await reporter.send(scope)
    await reporter.send(scope)
    seen.add(2)
    await reporter.send(scope)
    expect(sent.map(({ sequence, metrics }) => [sequence, metrics.length])).toEqual([
      [1, 1],
      [2, 0],
      [3, 1],
    ])
    expect(total()).toBe(5)
  })

  it('that was not taken in is sent again as it was', async () => {
    const { reporter, scope, seen, sent, total, line } = isolate()
    seen.add(3)
    line.now = down
    await expect(reporter.send(scope)).rejects.toThrow('down')
    seen.add(1)
    await expect(reporter.send(scope)).rejects.toThrow('down')
    expect(sent[1]).toBe(sent[0])
    line.now = sound
    await reporter.send(scope)
    await reporter.send(scope)
    expect(total()).toBe(4)
  })

  it('whose answer was lost counts once', async () => {
    const { reporter, scope, seen, total, line } = isolate()
    seen.add(3)
    line.now = deaf
    await reporter.send(scope).catch(() => undefined)
    line.now = sound
    seen.add(4)
    await reporter.send(scope)
    await reporter.send(scope)
    expect(total()).toBe(7)
  })

  it('sent by two requests at once counts once', async () => {
    const { reporter, scope, seen, total } = isolate()
    seen.add(3)
    await Promise.all([reporter.send(scope), reporter.send(scope)])
    await Promise.all([reporter.view(scope), reporter.send(scope), reporter.view(scope)])
    expect(total()).toBe(3)
  })

  it('brings back what is active', async () => {
    const { reporter, scope, store, replies } = isolate()
    store.announce({ revision: 8, snapshot: 'cd' })
    await reporter.send(scope)
    expect(replies).toMatchObject([{ acknowledged: 1, active: { revision: 8 } }])
  })

  it('of two isolates to one store are added up, through any mixture of faults', async () => {
    const one = isolate()
    const two = isolate(one.store)
    const lines = [down, sound, deaf, sound, deaf, down, sound, deaf]
    for (let i = 0; i < 80; i++) {
      for (const [which, { line, seen, reporter, scope }] of [one, two].entries()) {
        seen.add(which + 1)
        line.now = lines[(i * 3 + which) % lines.length] ?? sound
        await reporter.send(scope).catch(() => undefined)
      }
    }
    for (const { line, reporter, scope } of [one, two]) {
      line.now = sound
      await reporter.view(scope)
    }
    expect(one.total()).toBe(80 * 3)
  })
})

describe('when', () => {
  it('a request plans one, others leave it alone, and the next one is planned after it', async () => {
    const { reporter, scope, pending, sent, waited } = isolate()
    reporter.plan(scope, 1_000_000)
    expect(reporter.nextAt).toBeGreaterThan(1_010_000)
    await Promise.all(pending)
    expect([sent.length, reporter.nextAt]).toEqual([1, 1])
    reporter.plan(scope, 1_020_000)
    await Promise.all(pending)
    const [first = 0, second = 0] = waited
    expect(first).toBeLessThanOrEqual(1_250)
    expect(second).toBeGreaterThanOrEqual(11_250)
    expect(second).toBeLessThanOrEqual(18_750)
  })

  it('a failure is nothing to the request that planned', async () => {
    const { reporter, scope, pending, line } = isolate()
    line.now = down
    reporter.plan(scope, 1)
    await expect(Promise.all(pending)).resolves.toBeDefined()
    expect(reporter.nextAt).toBe(1)
  })
})

describe('a batch that is never taken', () => {
  it('is given up, and what comes behind it goes on under the next number', async () => {
    const { reporter, scope, seen, line, sent, total, store } = isolate()
    seen.add(3)
    line.now = () => Promise.reject(new ReportRefused('too large'))
    await expect(reporter.send(scope)).rejects.toThrow('too large')
    line.now = sound
    seen.add(2)
    await reporter.send(scope)
    expect(sent.map(({ sequence }) => sequence)).toEqual([1, 2])
    expect(total()).toBe(2)
    seen.add(1)
    line.now = () => Promise.reject(new ReportRefused('too large'))
    await expect(reporter.send(scope)).rejects.toThrow()
    line.now = sound
    await reporter.send(scope)
    const { metrics } = store.view(0)
    expect(metrics).toContainEqual(
      expect.objectContaining({ name: FAMILIES.reportsLost.name, value: 1 }),
    )
  })
})

describe('a hub that shows nothing here', () => {
  it('is named by whoever asks', async () => {
    const reporter = new Reporter({
      sink: { hub: 'https://hub.example', send: () => Promise.reject(new Error('down')) },
      registry: new Registry(),
      facts: () => ({ node: 'a', revision: 1, snapshot: null, refusals: [] }),
      everyMs: 1,
    })
    await expect(reporter.read(1)).rejects.toThrow('at the hub https://hub.example')
    await expect(reporter.view({ waitUntil: () => undefined })).rejects.toThrow(
      'https://hub.example',
    )
  })
})
