/** Responses that come bit by bit, and connections that become WebSockets. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { begin, open, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, probe, upstreamAndRoute, wasmPlugin } from '../support/policy.ts'
import { acceptAndEcho, openWebSocket } from '../support/websocket.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())
afterEach(() => gateway.origin.reset())

const SSE = [
  ['content-type', 'text/event-stream'],
  ['cache-control', 'no-cache'],
] as const

describe('server-sent events', () => {
  it.each([
    ['without plugins', [], ''],
    [
      'through a header plugin',
      [headerProbe('h', { response_headers: [{ call: 'add_header', name: 'x-a', value: '1' }] })],
      '',
    ],
    ['through a body plugin that looks', [probe('b', {})], ''],
    [
      'through a body plugin that edits each chunk',
      [
        probe('b', {
          response_body: [
            { call: 'get_body', save: 'chunk', if: { end_of_stream: false } },
            {
              call: 'set_body',
              value: { concat: ['<', { saved: 'chunk' }, '>'] },
              if: { end_of_stream: false },
            },
          ],
        }),
      ],
      'edited',
    ],
  ] as const)('arrive one by one %s', async (_way, plugins, edited) => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url), ...plugins)
    const response = open(`${gateway.url}/events`)
    gateway.origin.answer((exchange) => exchange.start(200, SSE))
    const exchange = await gateway.origin.request()
    const { status, header, next } = await response
    expect([status, header('content-type')]).toEqual([200, 'text/event-stream'])
    // each is sent only when the one before it has arrived
    for (let i = 0; i < 5; i++) {
      const event = `id: ${i}\ndata: {"n":${i}}\n\n`
      exchange.chunk(event)
      expect((await next())?.toString()).toBe(edited ? `<${event}>` : event)
    }
    exchange.finish()
    expect(await next()).toBeUndefined()
  })

  it('through mask-card-numbers arrive as they come, numbers split over events’ chunks masked', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      wasmPlugin('mask', 'oci://ghcr.io/postern/mask-card-numbers:1.0.0', {}),
    )
    gateway.origin.answer((exchange) => exchange.start(200, SSE))
    const response = open(`${gateway.url}/events`)
    const exchange = await gateway.origin.request()
    const { next } = await response
    exchange.chunk('data: no number\n\n')
    expect((await next())?.toString()).toContain('no number')
    exchange.chunk('data: 4111 1111 ')
    exchange.chunk('1111 1111 end\n\n')
    let text = ''
    while (!text.includes('end')) text += (await next())?.toString() ?? ''
    expect(text).toContain('**** **** **** 1111 end')
    exchange.finish()
  })
})

describe('an answer before the request is whole', () => {
  it('reaches the client while it is still sending', async () => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url), headerProbe('h', {}))
    gateway.origin.answer((exchange) => exchange.reply(401, [], 'no'))
    const { request, response } = begin(`${gateway.url}/`, {
      method: 'POST',
      headers: [['transfer-encoding', 'chunked']],
    })
    request.on('error', () => undefined)
    request.write('first')
    expect((await response).status).toBe(401)
    request.destroy()
  })
})

describe('a WebSocket', () => {
  const both = headerProbe('h', {
    request_headers: [{ call: 'set_header', name: 'x-from-plugin', value: 'request' }],
    response_headers: [
      { call: 'get_header', name: ':status', save: 'status' },
      { call: 'set_header', name: 'x-saw', value: { saved: 'status' } },
    ],
  })

  it.each([
    ['without plugins', []],
    ['through a header plugin', [both]],
    ['through a body plugin', [probe('b', {}), both]],
  ] as const)('is passed through %s', async (_way, plugins) => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url), ...plugins)
    gateway.origin.answer((exchange) => acceptAndEcho(exchange, [['x-up', '1']]))
    const socket = await openWebSocket(`${gateway.url}/ws`, [['x-mine', '1']])
    expect(socket.head).toMatch(/^HTTP\/1\.1 101/)
    expect(socket.head).toMatch(/\r\nx-up: 1/i)
    socket.send('hello')
    expect(await socket.next()).toBe('echo hello')
    socket.send('again')
    expect(await socket.next()).toBe('echo again')
    const { last } = gateway.origin
    expect([last.header('upgrade')?.toLowerCase(), last.header('x-mine')]).toEqual([
      'websocket',
      '1',
    ])
    if (plugins.length > 0) {
      expect(last.header('x-from-plugin')).toBe('request')
      expect(socket.head).toMatch(/\r\nx-saw: 101/i)
      // its contexts do not stay as long as the connection does
      await gateway.until('without stream contexts', ({ vms }) => vms.contexts === plugins.length)
    }
    socket.socket.destroy()
    await last.closed()
  })

  it('that the upstream refuses is answered with what it says', async () => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url), both)
    gateway.origin.answer((exchange) => exchange.reply(403, [], 'no'))
    const socket = await openWebSocket(`${gateway.url}/ws`)
    expect(socket.head).toMatch(/^HTTP\/1\.1 403/)
    expect(socket.head).toMatch(/\r\nx-saw: 403/i)
    socket.socket.destroy()
  })

  it('that a plugin refuses never reaches the upstream', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('h', { request_headers: [{ call: 'local_reply', status: 401 }] }),
    )
    const socket = await openWebSocket(`${gateway.url}/ws`)
    expect(socket.head).toMatch(/^HTTP\/1\.1 401/)
    expect(gateway.origin.requests).toHaveLength(0)
    socket.socket.destroy()
  })

  it('that a plugin refuses after the upstream accepted is closed towards both', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('h', { response_headers: [{ call: 'local_reply', status: 401 }] }),
    )
    gateway.origin.answer((exchange) => acceptAndEcho(exchange))
    const socket = await openWebSocket(`${gateway.url}/ws`)
    expect(socket.head).toMatch(/^HTTP\/1\.1 401/)
    await gateway.origin.last.closed()
    socket.socket.destroy()
  })

  it('of another protocol than WebSocket is not passed through: Fetch has no other upgrade', async () => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url))
    const reply = await send(`${gateway.url}/`, {
      headers: [
        ['connection', 'upgrade'],
        ['upgrade', 'h2c'],
      ],
    })
    expect(reply.status).toBe(200)
    expect(gateway.origin.last.header('upgrade')).toBeUndefined()
  })
})
