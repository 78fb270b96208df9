/** What is counted of a plugin over its vms and versions. */
import { describe, expect, it } from 'vitest'
import type { FailStrategy, Plugin } from '../../src/proxy-wasm/index.ts'
import { FakeTime } from '../support/fake-time.ts'
import { type Machine, machine, probe, script } from '../support/machine.ts'

const STEPS = script({
  request_headers: [
    { call: 'trap', kind: 'unreachable', if: { path: '/trap' } },
    { call: 'local_reply', status: 403, if: { path: '/answer' } },
    { call: 'metric_define', type: 'counter', name: 'seen', save: 'seen' },
    { call: 'metric_increment', metric: { saved: 'seen' } },
  ],
})

async function counting(failStrategy: FailStrategy): Promise<{
  readonly m: Machine
  readonly time: FakeTime
  readonly plugin: Plugin
  readonly get: (path: string) => Promise<number>
}> {
  const time = new FakeTime()
  const m = machine({ ports: { clock: time.clock, timers: time.timers } })
  const plugin = await m.plugin({ module: probe(), configuration: STEPS, failStrategy })
  const get = async (path: string): Promise<number> =>
    (await m.send([plugin], { request: new Request(`http://shop.example${path}`) })).status
  return { m, time, plugin, get }
}

describe('the counts of a plugin', () => {
  it('tell traps, back-offs and new vms apart', async () => {
    const { m, time, plugin, get } = await counting('FAIL_CLOSE')
    expect([await get('/'), await get('/trap'), await get('/')]).toEqual([200, 503, 503])
    await time.advance(1_501)
    expect(await get('/')).toBe(200)
    expect(plugin.counts).toMatchObject({ traps: 1, backoffs: 1, reloads: 1, failedClosed: 2 })
    expect(m.pool.created).toBe(2)
  })

  it('tell streams that went on without it', async () => {
    const { plugin, get } = await counting('FAIL_OPEN')
    expect([await get('/trap'), await get('/')]).toEqual([200, 200])
    expect(plugin.counts).toMatchObject({ traps: 1, failedClosed: 0, failedOpen: 2 })
  })

  it('tell streams that it has answered', async () => {
    const { plugin, get } = await counting('FAIL_CLOSE')
    expect([await get('/answer'), await get('/')]).toEqual([403, 200])
    expect(plugin.counts).toMatchObject({ localReplies: 1, failedClosed: 0 })
  })

  it('tell vms that did not start', async () => {
    const m = machine()
    const configuration = script({ configure: [{ call: 'return_false' }] })
    const plugin = await m.plugin({ module: probe(), configuration })
    expect((await m.send([plugin])).status).toBe(503)
    expect(plugin.counts).toMatchObject({ failedStarts: 1, reloads: 0, traps: 0 })
  })

  it('go on in the next version of the plugin', async () => {
    const { m, plugin, get } = await counting('FAIL_OPEN')
    await get('/trap')
    const next = await m.plugin({ module: probe('headers-only') })
    expect(next.counts).toBe(plugin.counts)
  })
})

it("counters of a plugin go on over a trap and the vm's successor", async () => {
  const { m, time, get } = await counting('FAIL_CLOSE')
  await get('/')
  await get('/trap')
  await time.advance(1_501)
  await get('/')
  const { metrics } = m.pool.ports
  const id = metrics.define(0, 'seen')
  expect(metrics.get(id)).toEqual({ value: 2n })
})
