/** Methods, statuses, redirects, HEAD and codings: what an HTTP message keeps on its way. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { send, sendRaw } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, probe, upstreamAndRoute, wasmPlugin } from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())
afterEach(() => gateway.origin.reset())

const EDIT = { call: 'add_header', name: 'x-added', value: '1' } as const

describe.each([
  ['without plugins', []],
  [
    'with a header plugin',
    [headerProbe('h', { request_headers: [EDIT], response_headers: [EDIT] })],
  ],
  ['with a body plugin', [probe('b', { request_headers: [EDIT], response_headers: [EDIT] })]],
] as const)('%s', (way, plugins) => {
  const edits = way !== 'without plugins'
  const readsBody = way === 'with a body plugin'
  beforeAll(() => gateway.policy(upstreamAndRoute(gateway.origin.url), ...plugins))

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PURGE', 'PROPFIND', 'REPORT'])(
    'passes %s on',
    async (method) => {
      const reply = await send(`${gateway.url}/x`, { method })
      expect([reply.status, reply.text, gateway.origin.last.method]).toEqual([200, 'ok', method])
    },
  )

  it('answers a method that the platform does not know with 501', async () => {
    const answer = await sendRaw(
      gateway.url,
      'FOO / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    expect(answer).toContain('501 Not Implemented')
  })

  it('sends a GET on without its body, which Fetch cannot send', async () => {
    const reply = await send(`${gateway.url}/`, { body: 'abc' })
    expect([reply.status, reply.text]).toEqual([200, 'ok'])
    expect((await gateway.origin.last.body()).toString()).toBe('')
    expect(gateway.origin.last.header('content-length')).toBeUndefined()
  })

  it.each([
    ['POST', 'a=1'],
    ['DELETE', '{"why":"x"}'],
    ['OPTIONS', 'x'],
  ])('sends the body of a %s with its length', async (method, body) => {
    await send(`${gateway.url}/`, { method, body, headers: [['content-type', 'text/x']] })
    const { last } = gateway.origin
    expect((await last.body()).toString()).toBe(body)
    expect(last.header('content-length')).toBe(`${body.length}`)
    expect(last.header('content-type')).toBe('text/x')
  })

  it('answers HEAD with the length that GET would have, and no body', async () => {
    gateway.origin.answer((exchange) =>
      exchange.reply(200, [
        ['content-length', '1234'],
        ['content-type', 'text/plain'],
      ]),
    )
    const answer = await sendRaw(
      gateway.url,
      'HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    const [head, body] = answer.split('\r\n\r\n')
    expect(gateway.origin.last.method).toBe('HEAD')
    expect(head).toMatch(/^HTTP\/1.1 200/)
    expect(head).toMatch(/\r\ncontent-length: 1234\r\n/i)
    expect(body).toBe('')
  })

  it.each([204, 205, 304])('passes %i on without a body', async (status) => {
    const length = status === 205 ? 'content-length: 0\r\n' : ''
    gateway.origin.answer((exchange) =>
      exchange.write(`HTTP/1.1 ${status} X\r\netag: "a"\r\n${length}\r\n`),
    )
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.header('etag'), reply.text]).toEqual([status, '"a"', ''])
    expect(reply.header('x-added')).toBe(edits ? '1' : undefined)
  })

  it.each([200, 201, 206, 226, 300, 400, 401, 404, 418, 451, 500, 503, 511, 599])(
    'passes %i on with its body',
    async (status) => {
      gateway.origin.answer((exchange) => exchange.reply(status, [['x-a', '1']], 'body'))
      const reply = await send(`${gateway.url}/`)
      expect([reply.status, reply.text, reply.header('x-a')]).toEqual([status, 'body', '1'])
    },
  )

  it.each([600, 700, 999])(
    'cannot rebuild %i: passes it untouched, else answers 502',
    async (status) => {
      gateway.origin.answer((exchange) => exchange.reply(status, [['x-a', '1']], 'body'))
      const reply = await send(`${gateway.url}/`)
      expect([reply.status, reply.text]).toEqual([edits ? 502 : status, 'body'])
    },
  )

  it('takes an answer without a proper status for none', async () => {
    gateway.origin.answer((exchange) => exchange.reply(99))
    const reply = await send(`${gateway.url}/`)
    expect(reply.status).toBe(502)
    expect(reply.json()).toMatchObject({ error: { code: 'upstream.unreachable' } })
  })

  it('waits behind early hints, which the platform keeps, for the answer', async () => {
    gateway.origin.answer((exchange) => {
      exchange.write('HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n')
      exchange.reply(200, [], 'late')
    })
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.text, reply.header('link')]).toEqual([200, 'late', undefined])
  })

  it.each([301, 302, 303, 307, 308])(
    'passes the redirect %i through unfollowed',
    async (status) => {
      gateway.origin.answer((exchange) =>
        exchange.reply(status, [['location', 'https://elsewhere.example/a?b#c']], 'moved'),
      )
      const reply = await send(`${gateway.url}/`)
      expect([reply.status, reply.header('location'), reply.text]).toEqual([
        status,
        'https://elsewhere.example/a?b#c',
        'moved',
      ])
      expect(gateway.origin.requests).toHaveLength(1)
    },
  )

  const TEXT = 'card 4111 1111 1111 1111, '.repeat(50)
  it.each([
    ['gzip', gzipSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
  ])(`${readsBody ? 'decodes' : 'leaves as it is'} a body in %s`, async (coding, bytes) => {
    gateway.origin.answer((exchange) => exchange.reply(200, [['content-encoding', coding]], bytes))
    const reply = await send(`${gateway.url}/`, { headers: [['accept-encoding', 'gzip, br']] })
    if (readsBody) {
      expect([reply.header('content-encoding'), reply.text]).toEqual([undefined, TEXT])
      expect(gateway.origin.last.header('accept-encoding')).toBe('identity')
    } else {
      expect(reply.header('content-encoding')).toBe(coding)
      expect(reply.bytes.equals(bytes)).toBe(true)
      expect(reply.header('content-length')).toBe(`${bytes.length}`)
      expect(gateway.origin.last.header('accept-encoding')).toBe('gzip, br')
    }
  })

  it.each(['zstd', 'gzip, br'])(
    `${readsBody ? 'refuses' : 'leaves as it is'} a body in %s, which cannot be decoded here`,
    async (coding) => {
      gateway.origin.answer((exchange) =>
        exchange.reply(200, [['content-encoding', coding]], 'unreadable'),
      )
      const reply = await send(`${gateway.url}/`)
      if (readsBody) expect(reply.status).toBe(502)
      else expect([reply.header('content-encoding'), reply.text]).toEqual([coding, 'unreadable'])
    },
  )

  it('passes an upload in a coding on as it is', async () => {
    const bytes = gzipSync(TEXT)
    await send(`${gateway.url}/`, {
      method: 'POST',
      headers: [['content-encoding', 'gzip']],
      body: bytes,
    })
    const { last } = gateway.origin
    expect(last.header('content-encoding')).toBe('gzip')
    expect((await last.body()).equals(bytes)).toBe(true)
  })

  it('keeps the end of a chunked answer without its trailers, which Fetch does not have', async () => {
    gateway.origin.answer((exchange) => {
      exchange.start(200, [['trailer', 'x-sum']])
      exchange.chunk('one ')
      exchange.chunk('two')
      exchange.finish([['x-sum', '7']])
    })
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.text, reply.header('x-sum')]).toEqual([200, 'one two', undefined])
  })
})

describe('an answer that a body plugin reads', () => {
  it('in a coding it was not asked for is read decoded, and masked', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      wasmPlugin('mask', 'oci://ghcr.io/postern/mask-card-numbers:1.0.0', {}),
    )
    gateway.origin.answer((exchange) =>
      exchange.reply(
        200,
        [
          ['content-type', 'application/json'],
          ['content-encoding', 'gzip'],
        ],
        gzipSync('{"card":"4111 1111 1111 1111"}'),
      ),
    )
    const reply = await send(`${gateway.url}/`)
    expect(reply.text).toBe('{"card":"**** **** **** 1111"}')
    expect(reply.header('content-encoding')).toBeUndefined()
  })

  it('that is no valid gzip breaks off and does not pass for whole', async () => {
    gateway.origin.answer((exchange) =>
      exchange.reply(
        200,
        [
          ['content-type', 'text/plain'],
          ['content-encoding', 'gzip'],
        ],
        'this is no gzip',
      ),
    )
    await expect(
      send(`${gateway.url}/`).then(({ status }) => {
        if (status >= 500) throw new Error(`answered ${status}`)
      }),
    ).rejects.toThrow()
  })
})
