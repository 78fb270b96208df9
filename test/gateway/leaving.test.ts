/**
 * Clients that leave and upstreams that fail. workerd hears of a client only by a reset of its
 * connection, so that is how these leave.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { begin, open, readAll, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, probe, route, upstream, upstreamAndRoute } from '../support/policy.ts'
import { freePort } from '../support/workerd.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())
afterEach(() => gateway.origin.reset())

/** Nothing is left of a stream: one context for each plugin, its root. */
const settled = (plugins: number) =>
  gateway.until('without stream contexts', ({ vms }) => vms.contexts === plugins)

const LOG = { log: [{ call: 'nothing', quiet: false }] }

describe.each([
  ['without plugins', 0, []],
  ['with a header plugin', 1, [headerProbe('h', { request_headers: [] })]],
  ['with a body plugin', 1, [probe('b', { request_headers: [] })]],
] as const)('a client that leaves, %s', (_way, roots, plugins) => {
  beforeAll(() => gateway.policy(upstreamAndRoute(gateway.origin.url), ...plugins))

  it('while it waits for an answer takes the upstream’s connection with it', async () => {
    gateway.origin.answer(() => undefined)
    const client = begin(`${gateway.url}/`)
    client.request.end()
    const exchange = await gateway.origin.request()
    client.leave()
    await exchange.closed()
    await settled(roots)
  })

  it('during an upload takes the upstream’s connection with it', async () => {
    gateway.origin.answer(() => undefined)
    const client = begin(`${gateway.url}/`, {
      method: 'POST',
      headers: [['content-length', '1000000']],
    })
    client.request.write(Buffer.alloc(100_000))
    const exchange = await gateway.origin.request()
    await exchange.until(() => exchange.received > 0)
    client.leave()
    await exchange.closed()
    expect(exchange.complete).toBe(false)
    await settled(roots)
  })

  it('during a download takes the upstream’s connection with it', async () => {
    gateway.origin.answer((exchange) => {
      exchange.start(200)
      exchange.chunk('first')
    })
    const client = await open(`${gateway.url}/`)
    await client.next()
    const exchange = await gateway.origin.request()
    // it is only told when more is to be sent
    const timer = setInterval(() => exchange.chunk('more'), 10)
    client.leave()
    await exchange.closed()
    clearInterval(timer)
    await settled(roots)
  })
})

describe('a client that leaves while a plugin', () => {
  const callout = {
    call: 'http_call',
    upstream: 'authz',
    headers: [
      [':method', 'GET'],
      [':path', '/check'],
      [':authority', 'authz'],
    ],
    timeout_ms: 300,
  }
  const pause = { call: 'return', action: 1 }
  const policy = (steps: Record<string, unknown[]>) =>
    gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      upstream('authz', { url: gateway.origin.url }),
      headerProbe('h', { ...steps, ...LOG }),
    )

  it('holds its request ends the contexts', async () => {
    await policy({ request_headers: [pause] })
    const client = begin(`${gateway.url}/`)
    client.request.end()
    await gateway.until('holding', ({ vms }) => vms.contexts === 2)
    client.leave()
    await settled(1)
    expect(gateway.origin.requests).toHaveLength(0)
  })

  // the call is the vm's and not the stream's, so it may go on; not for longer than it was given
  it('waits for its callout ends the contexts; the call ends in its own time', async () => {
    await policy({ request_headers: [callout, pause] })
    gateway.origin.answer(() => undefined)
    const client = begin(`${gateway.url}/`)
    client.request.end()
    const exchange = await gateway.origin.request()
    expect(exchange.target).toBe('/check')
    client.leave()
    await settled(1)
    await exchange.closed()
  })

  it('holds the response takes the upstream’s connection with it', async () => {
    await policy({ response_headers: [pause] })
    gateway.origin.answer((exchange) => {
      exchange.start(200)
      exchange.chunk('first')
    })
    const client = begin(`${gateway.url}/`)
    client.request.end()
    const exchange = await gateway.origin.request()
    await gateway.until('holding', ({ vms }) => vms.contexts === 2)
    client.leave()
    await exchange.closed()
    await settled(1)
  })
})

describe.each([
  ['without plugins', []],
  ['with a header plugin', [headerProbe('h', { request_headers: [] })]],
  ['with a body plugin', [probe('b', { request_headers: [] })]],
] as const)('an upstream, %s', (_way, plugins) => {
  const to = async (url: string, spec: object = {}): Promise<void> => {
    await gateway.policy(
      upstream('origin', { url, ...spec }),
      route('all', '/', 'origin'),
      ...plugins,
    )
  }

  it('that refuses is answered for with 502', async () => {
    await to(`http://127.0.0.1:${await freePort()}`)
    const reply = await send(`${gateway.url}/`, { method: 'POST', body: 'abc' })
    expect([reply.status, reply.header('content-type')]).toEqual([502, 'application/json'])
    expect(reply.json()).toEqual({
      error: { code: 'upstream.unreachable', message: 'The upstream could not be reached.' },
    })
  })

  it('that has no such host is answered for with 502', async () => {
    await to('http://nowhere.invalid')
    expect((await send(`${gateway.url}/`)).json()).toMatchObject({
      error: { code: 'upstream.unreachable' },
    })
  })

  it('that does not answer in time is answered for with 504, and left', async () => {
    await to(gateway.origin.url, { timeoutMs: 100 })
    gateway.origin.answer(() => undefined)
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.json()]).toMatchObject([
      504,
      { error: { code: 'upstream.timeout' } },
    ])
    await gateway.origin.last.closed()
    await settled(plugins.length)
  })

  it('may take longer than its timeout once its headers have come', async () => {
    await to(gateway.origin.url, { timeoutMs: 200 })
    gateway.origin.answer((exchange) => {
      exchange.start(200)
      exchange.chunk('first ')
    })
    const response = await open(`${gateway.url}/`)
    const first = await response.next()
    const exchange = await gateway.origin.request()
    await new Promise((resolve) => setTimeout(resolve, 400))
    exchange.chunk('second')
    exchange.finish()
    expect(first?.toString()).toBe('first ')
    expect((await readAll(response)).toString()).toBe('second')
  })

  it('that closes without an answer is answered for with 502', async () => {
    await to(gateway.origin.url)
    gateway.origin.answer((exchange) => exchange.reset())
    expect((await send(`${gateway.url}/`)).status).toBe(502)
    gateway.origin.answer((exchange) => exchange.write('this is no HTTP\r\n\r\n'))
    expect((await send(`${gateway.url}/`)).status).toBe(502)
  })

  it('that breaks off in the middle of a body breaks the answer off as well', async () => {
    await to(gateway.origin.url)
    gateway.origin.answer((exchange) => {
      exchange.start(200)
      exchange.chunk('first')
    })
    const response = await open(`${gateway.url}/`)
    expect((await response.next())?.toString()).toBe('first')
    gateway.origin.last.reset()
    await expect(readAll(response)).rejects.toThrow()
    await settled(plugins.length)
  })

  it('that announces more than it sends never passes for whole', async () => {
    await to(gateway.origin.url)
    gateway.origin.answer((exchange) => {
      exchange.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!')
      exchange.socket.end()
    })
    const whole = await send(`${gateway.url}/`).then(
      ({ status, text }) => status === 200 && text.length === 10,
      () => false,
    )
    expect(whole).toBe(false)
    await settled(plugins.length)
  })
})

describe('a request that a plugin breaks off in the middle of its body', () => {
  it.each([
    ['by its own answer', { call: 'local_reply', status: 400 }, 400],
    ['by a trap', { call: 'trap', kind: 'unreachable' }, 503],
    ['by a reset', { call: 'close_request' }, 503],
  ])('%s never looks whole to the upstream', async (_how, step, status) => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      probe('b', { request_body: [{ ...step, if: { nth: 2 } }] }),
    )
    gateway.origin.answer(() => undefined)
    const { request, response } = begin(`${gateway.url}/`, {
      method: 'POST',
      headers: [['transfer-encoding', 'chunked']],
    })
    request.write('first')
    const exchange = await gateway.origin.request()
    await exchange.until(() => exchange.received > 0)
    request.write('second')
    expect((await response).status).toBe(status)
    await exchange.closed()
    expect([exchange.received, exchange.complete]).toEqual([5, false])
    request.destroy()
  })

  it('after the upstream’s answer began breaks that off as well', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      probe('b', { request_body: [{ call: 'local_reply', status: 400, if: { nth: 2 } }] }),
    )
    gateway.origin.answer((exchange) => {
      exchange.start(200)
      exchange.chunk('early')
    })
    const { request, response } = begin(`${gateway.url}/`, {
      method: 'POST',
      headers: [['transfer-encoding', 'chunked']],
    })
    request.write('first')
    const opened = await response
    const exchange = await gateway.origin.request()
    request.write('second')
    await exchange.closed()
    await expect(readAll(opened)).rejects.toThrow()
    request.destroy()
  })
})

describe('a response that broke off', () => {
  it('with headers gone already ends in a broken connection, not in an end', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      probe('b', { response_body: [{ call: 'close_response', if: { nth: 2 } }] }),
    )
    gateway.origin.answer((exchange) => {
      exchange.start(200)
      exchange.chunk('first')
    })
    const response = await open(`${gateway.url}/`)
    expect((await response.next())?.toString()).toBe('first')
    gateway.origin.last.chunk('second')
    await expect(readAll(response)).rejects.toThrow()
    await gateway.origin.last.closed()
    await settled(1)
  })
})
