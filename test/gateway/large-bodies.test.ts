/** 100 MB in both directions: passed on as they come, never kept. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { begin, open, type Opened } from '../support/client.ts'
import type { Exchange } from '../support/exchange.ts'
import type { Handler } from '../support/origin.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, pluginPolicy, probe, upstreamAndRoute } from '../support/policy.ts'

const BLOCK = randomBytes(1024 * 1024)
const BLOCKS = 100
const SIZE = BLOCK.length * BLOCKS
/** Far below the size of one body, above what the runtime's own buffers come to. */
const GROWTH = 48 * 1024 * 1024

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())
afterEach(() => gateway.origin.reset())

/** The most memory workerd had while `work` ran, beyond what it had before. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = gateway.rss()
  let most = before
  const timer = setInterval(() => (most = Math.max(most, gateway.rss())), 50)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return Math.max(most, gateway.rss()) - before
}

const EDIT = { call: 'add_header', name: 'x-added', value: '1' } as const
const digestOf = (blocks: number): string => {
  const hash = createHash('sha256')
  for (let i = 0; i < blocks; i++) hash.update(BLOCK)
  return hash.digest('hex')
}

/** Sends the blocks; the last leaves only when `before` has come to pass. */
function download(how: 'with its length' | 'in chunks', before?: Promise<void>): Handler {
  const known = how === 'with its length'
  return async (exchange) => {
    if (known) exchange.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`)
    else exchange.start(200)
    for (let i = 0; i < BLOCKS; i++) {
      if (i === BLOCKS - 1) await before
      if (known) exchange.write(BLOCK)
      else exchange.chunk(BLOCK)
      if (exchange.socket.writableNeedDrain) await once(exchange.socket, 'drain')
    }
    if (!known) exchange.finish()
  }
}

/** @returns the digest of what came */
async function readThrough(response: Opened, saw = (): void => undefined): Promise<string> {
  const hash = createHash('sha256')
  for (let next = await response.next(); next; next = await response.next()) {
    saw()
    hash.update(next)
  }
  return hash.digest('hex')
}

describe.each([
  ['without plugins', []],
  [
    'with a header plugin',
    [headerProbe('h', { request_headers: [EDIT], response_headers: [EDIT] })],
  ],
  ['with a body plugin that passes chunks on', [probe('b', { request_headers: [EDIT] })]],
] as const)('%s', (_way, plugins) => {
  beforeAll(async () => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url), ...plugins)
    // what grows once, with the first large body, is not what is measured
    gateway.origin.answer(download('in chunks'))
    await readThrough(await open(`${gateway.url}/`))
    gateway.origin.reset()
  })

  it.each(['with its length', 'in chunks'] as const)('downloads 100 MB %s', async (how) => {
    let saw = (): void => undefined
    const firstSeen = new Promise<void>((resolve) => (saw = resolve))
    gateway.origin.answer(download(how, firstSeen))
    const growth = await growthDuring(async () => {
      const response = await open(`${gateway.url}/`)
      expect(response.status).toBe(200)
      expect(await readThrough(response, saw)).toBe(digestOf(BLOCKS))
    })
    expect(growth).toBeLessThan(GROWTH)
  })

  it('reads no further from the upstream than the client reads', async () => {
    let sent = 0
    gateway.origin.answer(async (exchange) => {
      exchange.start(200)
      for (; sent < BLOCKS && !exchange.socket.destroyed; sent++) {
        exchange.chunk(BLOCK)
        if (exchange.socket.writableNeedDrain) await once(exchange.socket, 'drain')
      }
    })
    const response = await open(`${gateway.url}/`)
    await response.next()
    // as long as the count moves, something in between takes bytes; in the end it must not
    for (let before = -1; before !== sent;) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    expect(sent).toBeLessThan(BLOCKS / 2)
    response.leave()
    await gateway.origin.last.closed()
  })

  it.each(['with its length', 'in chunks'])('uploads 100 MB %s', async (how) => {
    const known = how === 'with its length'
    const hash = createHash('sha256')
    gateway.origin.answer(async (exchange) => {
      exchange.keep = false
      const take = exchange.data.bind(exchange)
      exchange.data = (bytes) => {
        hash.update(bytes)
        take(bytes)
      }
      await exchange.until(() => exchange.complete)
      exchange.reply(200, [], 'got it')
    })
    const growth = await growthDuring(async () => {
      const { request, response } = begin(`${gateway.url}/`, {
        method: 'PUT',
        headers: [known ? ['content-length', `${SIZE}`] : ['transfer-encoding', 'chunked']],
      })
      let exchange: Exchange | undefined
      for (let i = 0; i < BLOCKS; i++) {
        // the last block leaves only when the upstream has seen the first
        if (i === BLOCKS - 1) {
          exchange = await gateway.origin.request()
          await exchange.until(() => (exchange?.received ?? 0) > 0)
        }
        if (!request.write(BLOCK)) await once(request, 'drain')
      }
      request.end()
      expect((await response).status).toBe(200)
      expect(exchange?.received).toBe(SIZE)
    })
    expect(hash.digest('hex')).toBe(digestOf(BLOCKS))
    expect(growth).toBeLessThan(GROWTH)
  })
})

describe('a body plugin that holds a body', () => {
  const hold = { request_body: [{ call: 'return', action: 1, if: { end_of_stream: false } }] }
  const limit = pluginPolicy('hold', { limits: { bodyBytes: 100_000 } })

  it('may hold no more than its limit: 413 for a request', async () => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url), probe('hold', hold), limit)
    gateway.origin.answer(() => undefined)
    const { request, response } = begin(`${gateway.url}/`, {
      method: 'POST',
      headers: [['transfer-encoding', 'chunked']],
    })
    request.write(Buffer.alloc(60_000))
    request.write(Buffer.alloc(60_000))
    expect((await response).status).toBe(413)
    // the headers had left already; nothing of the body has, and the upstream is told that none comes
    const exchange = await gateway.origin.request()
    await exchange.closed()
    expect([exchange.received, exchange.complete]).toEqual([0, false])
    request.destroy()
  })

  it('may hold no more than its limit: 500 for a response', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      probe('hold', { response_body: hold.request_body, response_headers: hold.request_body }),
      pluginPolicy('hold', { limits: { bodyBytes: 100_000 }, allowOnHeadersStopIteration: true }),
    )
    gateway.origin.answer((exchange) => exchange.reply(200, [], Buffer.alloc(500_000)))
    const response = await open(`${gateway.url}/`)
    expect(response.status).toBe(500)
  })

  it('gets all of a smaller one at once, and may replace it', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      probe('hold', {
        request_body: [
          { call: 'return', action: 1, if: { end_of_stream: false } },
          { call: 'set_body', value: 'replaced', if: { end_of_stream: true } },
        ],
      }),
      limit,
    )
    const { request, response } = begin(`${gateway.url}/`, {
      method: 'POST',
      headers: [['transfer-encoding', 'chunked']],
    })
    request.write('one ')
    request.end('two')
    expect((await response).status).toBe(200)
    expect((await gateway.origin.last.body()).toString()).toBe('replaced')
  })
})
