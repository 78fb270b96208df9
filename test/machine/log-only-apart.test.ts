/** What else of a log-only plugin reaches nobody: its failures, what it shares, bodies it cannot read. */
import { describe, expect, it } from 'vitest'
import { deferred, settled } from '../support/fake-time.ts'
import { LOG_ONLY, logOnly, set, steps, world } from '../support/log-only.ts'
import { probe } from '../support/machine.ts'
import { calls, on, PAUSE, playPlugins, post, type Steps } from '../support/play.ts'

describe('a log-only plugin that fails', () => {
  const TRAP = { call: 'trap', kind: 'unreachable' }

  it.each(['request_headers', 'request_body', 'response_headers', 'response_body', 'log', 'done'])(
    'by a trap in %s stops nothing, whatever its strategy',
    async (callback) => {
      for (const failStrategy of ['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'] as const) {
        const w = world()
        const { response, body, sent, plugins } = await w.play(
          [
            steps({ request_headers: [set('x-a', '1')] }),
            logOnly({ [callback]: [TRAP] }, { failStrategy }),
          ],
          { request: post(['one ', 'two']) },
        )
        expect([response.status, body, sent?.body]).toEqual([200, 'ok', 'one two'])
        expect(sent?.headers.get('x-a')).toBe('1')
        expect(plugins.map(({ state }) => state)).toEqual(['running', 'failed'])
        expect(plugins[1]?.counts).toMatchObject({ traps: 1, failedClosed: 0, failedOpen: 0 })
        const isOver = callback === 'log' || callback === 'done'
        expect(w.told).toMatchObject(isOver ? [] : [{ class: 'trap', details: /unreachable/ }])
        const again = await playPlugins(w.host, plugins)
        expect(again.response.status).toBe(200)
        expect(w.told.at(-1)).toMatchObject({ by: 'p2', class: 'unavailable' })
      }
    },
  )

  it('while it would have held a request of another lets that go on as it is', async () => {
    const w = world()
    const upstream = deferred<Response>()
    const host = w.host
    const plugin = await host.plugin({
      module: probe(),
      name: 'p1',
      ...logOnly({ request_headers: [{ ...TRAP, if: { header: 'x-trap' } }, PAUSE] }),
    })
    const first = playPlugins(host, [plugin], { response: () => upstream.promise })
    await settled()
    const second = await playPlugins(host, [plugin], {
      request: new Request('http://shop.example/', { headers: { 'x-trap': '1' } }),
    })
    upstream.resolve(new Response('ok'))
    expect([(await first).response.status, second.response.status]).toEqual([200, 200])
    expect(w.told.map((one) => one.class).toSorted()).toEqual(['paused', 'trap', 'trap'])
  })

  it('to start is told for each request', async () => {
    const w = world()
    const { response } = await w.play([logOnly({ configure: [{ call: 'return_false' }] })])
    expect(response.status).toBe(200)
    expect(w.told).toMatchObject([{ class: 'unavailable', details: /answered false/ }])
  })
})

describe('what a log-only plugin shares', () => {
  const READ = { call: 'shared_data_get', key: 'k' }
  const write = (value: string): unknown => ({ call: 'shared_data_set', key: 'k', value })

  it('data: it sees what others write until it writes itself, which they never see', async () => {
    const w = world()
    const shared = { vmId: 'one' }
    const enforcing = {
      ...steps({ request_headers: [write('theirs')], response_headers: [READ] }),
      ...shared,
    }
    const trial = logOnly({ request_headers: [READ, write('own'), READ] }, shared)
    await w.play([enforcing, trial])
    const values = (name: string): unknown[] =>
      calls(w.host.lines(name), 'shared_data_get').map(({ value }) => value)
    expect([values('p2'), values('p1')]).toEqual([['theirs', 'own'], ['theirs']])
  })

  it('queues: items reach log-only plugins alone', async () => {
    const w = world()
    const consumer: Steps = {
      vm_start: [{ call: 'queue_register', name: 'q', save: 'q' }],
      queue_ready: [{ call: 'queue_dequeue', queue: { saved: 'q' } }],
    }
    const enqueue: Steps = {
      request_headers: [
        { call: 'queue_resolve', vm: '', name: 'q', save: 'r' },
        { call: 'queue_enqueue', queue: { saved: 'r' }, value: 'item' },
      ],
    }
    const script = (those: Steps): string => JSON.stringify({ steps: those })
    const vmId = 'one'
    await w.play([
      { name: 'theirs', vmConfiguration: script(consumer), vmId },
      { name: 'sends', ...LOG_ONLY, vmConfiguration: script(enqueue), vmId },
    ])
    await settled()
    expect(calls(w.host.lines('sends'), 'queue_enqueue')).toMatchObject([{ status: 0 }])
    expect(calls(w.host.lines('theirs'), 'queue_dequeue')).toEqual([])
    await w.play([
      { name: 'own', ...LOG_ONLY, vmConfiguration: script(consumer), vmId },
      { name: 'sends', ...LOG_ONLY, vmConfiguration: script(enqueue), vmId },
    ])
    await settled()
    expect(calls(w.host.lines('own'), 'queue_dequeue')).toMatchObject([{ value: 'item' }])
  })

  it('metrics: they have names of their own, and ids of others are none', async () => {
    const w = world()
    const count = [
      { call: 'metric_define', type: 'counter', name: 'seen', save: 'm' },
      { call: 'metric_increment', metric: { saved: 'm' } },
    ]
    const { metrics } = w.host.pool.ports
    const theirs = metrics.define(0, 'seen')
    await w.play([
      logOnly({ request_headers: [...count, { call: 'metric_increment', metric: theirs }] }),
    ])
    expect(metrics.get(theirs)).toEqual({ value: 0n })
    expect(metrics.get(metrics.define(0, 'log_only_seen'))).toEqual({ value: 1n })
    expect(calls(w.host.lines(), 'metric_increment').map(({ status }) => status)).toEqual([0, 1])
  })

  it('properties: it reads what was set before it, and sets its own', async () => {
    const w = world()
    const path = ['mine']
    const get = { call: 'get_property', path }
    const setTo = (value: string): unknown => ({ call: 'set_property', path, value })
    await w.play([
      steps({ request_headers: [setTo('theirs')], response_headers: [get] }),
      logOnly({ request_headers: [get, setTo('own'), get] }),
    ])
    const values = (name: string): unknown[] =>
      calls(w.host.lines(name), 'get_property').map(({ value }) => value)
    expect([values('p2'), values('p1')]).toEqual([['theirs', 'own'], ['theirs']])
  })
})

describe('the response body of a log-only plugin', () => {
  const READS = logOnly({ response_body: [{ call: 'get_body' }] })

  it('does not change what the upstream is asked for', async () => {
    const w = world()
    const request = new Request('http://shop.example/', { headers: { 'accept-encoding': 'gzip' } })
    const { sent } = await w.play([READS], { request })
    expect(sent?.headers.get('accept-encoding')).toBe('gzip')
  })

  it('that comes in a content coding passes unseen, and that is told', async () => {
    const w = world()
    const response = new Response('not really', { headers: { 'content-encoding': 'gzip' } })
    const played = await w.play([READS], { response })
    expect([played.body, played.response.headers.get('content-encoding')]).toEqual([
      'not really',
      'gzip',
    ])
    expect(on(w.host.lines(), 'response_body')).toEqual([])
    expect(w.told).toMatchObject([{ class: 'unseen' }])
  })
})
