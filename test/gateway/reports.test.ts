/** Isolates of one gateway report to one object: what a scrape and a status say of all of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parsePrometheus, valueOf } from '../../src/observe/testing/prometheus-parser.ts'
import { gatewayOf, startGateway, type TestGateway } from '../support/gateway.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { headerProbe, upstreamAndRoute } from '../support/policy.ts'
import { ADMIN_TOKEN, startWorkerd } from '../support/workerd.ts'

const SOON = { REPORT_SECONDS: '0.1' }
const METER = headerProbe('meter', {
  request_headers: [
    { call: 'metric_define', type: 'counter', name: 'seen', save: 'seen' },
    { call: 'metric_increment', metric: { saved: 'seen' } },
    { call: 'metric_define', type: 'gauge', name: 'level', save: 'level' },
    { call: 'metric_record', metric: { saved: 'level' }, value: 5 },
  ],
})

interface Scrape {
  readonly text: string
  readonly value: (name: string) => number | undefined
}

async function scrape(url: string, query = ''): Promise<Scrape> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  const text = await (await fetch(`${url}/-/metrics${query}`, { headers })).text()
  const families = parsePrometheus(text)
  return { text, value: (name) => valueOf(families, name) }
}

async function send(url: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await (await fetch(url)).arrayBuffer()
}

/** Asks until the answer is the one expected; the last one is in the error. */
async function until<T>(ask: () => Promise<T>, expected: T): Promise<void> {
  await expect.poll(ask, { timeout: 10_000, interval: 50 }).toEqual(expected)
}

describe('two isolates', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startGateway({ vars: { ...SOON, NODE_NAME: 'store-042' } })
    await gateway.policy(upstreamAndRoute(gateway.origin.url), METER)
  })
  afterAll(() => gateway.stop())

  it('are one view, whichever is asked', async () => {
    await send(gateway.url, 3)
    await send(gateway.twin, 4)
    // what this one counted is in its own scrape at once, the other reports by itself
    await until(async () => (await scrape(gateway.url)).value('seen'), 7)
    const view = await scrape(gateway.twin)
    expect(view.value('seen')).toBe(7)
    expect(view.value('level')).toBe(10)
    expect(view.value('postern_isolates')).toBe(2)
    expect(view.value('postern_reports_up')).toBe(1)
    expect((await scrape(gateway.url, '?node=store-042')).value('seen')).toBe(7)
    expect((await scrape(gateway.url, '?node=elsewhere')).value('seen')).toBeUndefined()
  })

  it('are in the status with what they run', async () => {
    const revision = await gateway.policy(upstreamAndRoute(gateway.origin.url), METER, METER_TWO)
    await until(async () => {
      await send(gateway.twin, 1)
      await send(gateway.url, 1)
      const { nodes } = await gateway.status()
      return nodes?.map(({ node, isolates }) => [node, isolates.map((one) => one.revision)])
    }, [['store-042', [revision, revision]]])
  })

  it('hear of a new revision with their reports', async () => {
    const slow = await startGateway({ vars: { ...SOON, REFRESH_SECONDS: '300' } })
    try {
      await slow.policy(upstreamAndRoute(slow.origin.url))
      await send(slow.twin, 1)
      const revision = await slow.policy(upstreamAndRoute(slow.origin.url), METER)
      await until(async () => {
        await send(slow.twin, 1)
        await send(slow.url, 1)
        const { nodes } = await slow.status()
        return nodes?.flatMap(({ isolates }) => isolates.map((one) => one.revision))
      }, [revision, revision])
    } finally {
      await slow.stop()
    }
  })

  it('that fall silent leave the gauges and keep their counters', async () => {
    await send(gateway.twin, 1)
    const before = (await scrape(gateway.twin)).value('seen') ?? 0
    // twenty reports missed, two seconds
    await until(async () => (await scrape(gateway.url)).value('level'), 5)
    const after = await scrape(gateway.url)
    expect(after.value('postern_isolates')).toBe(1)
    expect(after.value('seen')).toBe(before)
  })
})

const METER_TWO = headerProbe('meter-two', {})

describe('reports on a bad line', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startGateway({ reports: 'flaky', vars: SOON })
    await gateway.policy(upstreamAndRoute(gateway.origin.url), METER)
  })
  afterAll(() => gateway.stop())

  it('count once whether they come twice, late, or without an answer', async () => {
    let sent = 0
    for (const mode of ['twice', 'deaf', 'late', 'down', 'sound', 'deaf', 'twice'] as const) {
      await gateway.flaky(mode)
      await send(gateway.url, 3)
      await send(gateway.twin, 2)
      sent += 5
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    await gateway.flaky('sound')
    await send(gateway.twin, 1)
    await until(async () => (await scrape(gateway.url)).value('seen'), sent + 1)
  })

  it('that cannot be had leave an isolate its own view, and requests untouched', async () => {
    await gateway.flaky('down')
    const before = (await scrape(gateway.url)).value('seen') ?? 0
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await gateway.fetch('/')).status),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    const view = await scrape(gateway.url)
    expect(view.value('postern_reports_up')).toBe(0)
    expect(view.value('seen')).toBe(before + 20)
    expect(view.text).toMatch(/^# this isolate alone; the others cannot be had: Error: down\n/)
    expect((await gateway.status()).nodes).toBeNull()
    await gateway.flaky('sound')
    expect((await scrape(gateway.url)).value('postern_reports_failed_total')).toBeGreaterThan(0)
  })
})

it('without the binding each isolate shows itself', async () => {
  const gateway = await startGateway({ reports: 'none' })
  await gateway.policy(upstreamAndRoute(gateway.origin.url), METER)
  await send(gateway.url, 2)
  const view = await scrape(gateway.url)
  expect([view.value('seen'), view.value('postern_reports_up')]).toEqual([2, 0])
  await gateway.stop()
})

describe('a restart', () => {
  let folder: string
  let origin: Origin
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-reports-'))
    origin = await startOrigin()
  })
  afterAll(async () => {
    await origin.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)('keeps what was reported: %s', async (signal) => {
    const first = await startWorkerd({ folder, vars: SOON })
    await gatewayOf(first, origin).policy(upstreamAndRoute(origin.url), METER)
    const before = (await scrape(first.url)).value('seen') ?? 0
    await send(first.url, 5)
    await until(async () => (await scrape(first.url)).value('seen'), before + 5)
    await first.stop(signal)
    const second = await startWorkerd({ folder, vars: SOON })
    await send(second.url, 2)
    expect((await scrape(second.url)).value('seen')).toBe(before + 7)
    await second.stop()
  })
})
