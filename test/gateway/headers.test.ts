/** Headers on their way through the gateway, seen raw on both sides. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send, sendRaw } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, upstreamAndRoute } from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())

const REQUEST = [
  ['connection', 'close, X-Secret'],
  ['x-secret', 'hop'],
  ['keep-alive', 'timeout=5'],
  ['proxy-connection', 'keep-alive'],
  ['te', 'trailers'],
  ['x-kept', 'end'],
] as const

const RESPONSE =
  'HTTP/1.1 200 OK\r\nConnection: close, X-Secret\r\nX-Secret: hop\r\nKeep-Alive: timeout=5\r\n' +
  'TE: trailers\r\nTrailer: x-sum\r\nUpgrade: h2c\r\nX-Kept: end\r\n' +
  'Content-Length: 2\r\n\r\nok'

const HOP = ['x-secret', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade']

// the three ways a request takes through the gateway: without plugins, with plugins that look, with edits
describe.each([
  ['without plugins', []],
  ['with a plugin that edits nothing', [headerProbe('looks', {})]],
  [
    'with a plugin that edits headers',
    [
      headerProbe('edits', {
        request_headers: [{ call: 'add_header', name: 'x-added', value: '1' }],
        response_headers: [{ call: 'add_header', name: 'x-added', value: '1' }],
      }),
    ],
  ],
] as const)('%s', (way, plugins) => {
  const edits = way.includes('edits headers')

  beforeAll(async () => {
    gateway.origin.reset()
    await gateway.policy(upstreamAndRoute(gateway.origin.url), ...plugins)
  })

  it('keeps hop-by-hop headers of the client to itself, those it named in Connection too', async () => {
    await send(`${gateway.url}/`, { headers: REQUEST })
    const { last } = gateway.origin
    for (const name of [...HOP, 'connection']) expect(last.header(name), name).toBeUndefined()
    expect(last.header('x-kept')).toBe('end')
    expect(last.header('x-added')).toBe(edits ? '1' : undefined)
  })

  it('keeps hop-by-hop headers of the upstream to itself, those it named in Connection too', async () => {
    gateway.origin.answer((exchange) => exchange.write(RESPONSE))
    const reply = await send(`${gateway.url}/`)
    for (const name of HOP) expect(reply.header(name), name).toBeUndefined()
    expect([reply.status, reply.text, reply.header('x-kept')]).toEqual([200, 'ok', 'end'])
    expect(reply.header('x-added')).toBe(edits ? '1' : undefined)
    gateway.origin.reset()
  })

  it('says who asked, for what host and over what', async () => {
    await send(`${gateway.url}/`, { headers: [['host', 'shop.example:81']] })
    const { last } = gateway.origin
    expect(last.header('x-forwarded-for')).toBe('127.0.0.1')
    expect(last.header('x-forwarded-host')).toBe('shop.example:81')
    expect(last.header('x-forwarded-proto')).toBe('http')
    expect(last.header('host')).toBe(new URL(gateway.origin.url).host)
  })

  it('appends to what a proxy before it said', async () => {
    await send(`${gateway.url}/`, {
      headers: [
        ['x-forwarded-for', '203.0.113.7'],
        ['x-forwarded-for', '198.51.100.1'],
        ['x-forwarded-proto', 'https'],
        ['x-forwarded-host', 'shop.example'],
      ],
    })
    const { last } = gateway.origin
    expect(last.header('x-forwarded-for')).toBe('203.0.113.7, 198.51.100.1, 127.0.0.1')
    expect(last.header('x-forwarded-host')).toBe('shop.example')
    expect(last.header('x-forwarded-proto')).toBe('https')
  })

  it('takes the address of the connection, not one that the client made up', async () => {
    await send(`${gateway.url}/`, { headers: [['cf-connecting-ip', '203.0.113.7']] })
    expect(gateway.origin.last.header('x-forwarded-for')).toBe('127.0.0.1')
  })

  it('keeps set-cookie lines apart', async () => {
    const cookies = [
      ['set-cookie', 'a=1; Path=/, x'],
      ['set-cookie', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT'],
      ['set-cookie', 'a=3'],
    ] as const
    gateway.origin.answer((exchange) => exchange.reply(200, cookies))
    const reply = await send(`${gateway.url}/`)
    expect(reply.all('set-cookie')).toEqual(cookies.map(([, value]) => value))
    gateway.origin.reset()
  })

  it('joins other lines of one name in order', async () => {
    gateway.origin.answer((exchange) =>
      exchange.reply(200, [
        ['x-dup', '1'],
        ['x-dup', '2, 3'],
      ]),
    )
    const reply = await send(`${gateway.url}/`, {
      headers: [
        ['x-dup', 'a'],
        ['x-other', ''],
        ['x-dup', 'b, c'],
      ],
    })
    expect(reply.header('x-dup')).toBe('1, 2, 3')
    expect(gateway.origin.last.header('x-dup')).toBe('a, b, c')
    expect(gateway.origin.last.header('x-other')).toBe('')
    gateway.origin.reset()
  })

  it('passes UTF-8 and tabs on as they are', async () => {
    const bytes = Buffer.from('caf\u00e9\t\u65e5').toString('latin1')
    gateway.origin.answer((exchange) => exchange.reply(200, [['x-utf', bytes]]))
    const answer = await sendRaw(
      gateway.url,
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Utf: ${bytes}\r\n\r\n`,
    )
    expect(gateway.origin.last.header('x-utf')).toBe(bytes)
    expect(answer.toLowerCase()).toContain(`x-utf: ${bytes}`.toLowerCase())
    gateway.origin.reset()
  })

  it('does not ask the upstream for codings that the client did not ask for', async () => {
    await send(`${gateway.url}/`)
    expect(gateway.origin.last.header('accept-encoding')).toBeUndefined()
    await send(`${gateway.url}/`, { headers: [['accept-encoding', 'gzip;q=0.5, br']] })
    expect(gateway.origin.last.header('accept-encoding')).toBe('gzip;q=0.5, br')
  })

  it('passes Expect: 100-continue on and sends the body', async () => {
    const answer = await sendRaw(
      gateway.url,
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
    )
    expect(answer).toContain('HTTP/1.1 200')
    expect((await gateway.origin.last.body()).toString()).toBe('abc')
  })

  it('keeps a long header whole', async () => {
    const long = 'x'.repeat(8_000)
    await send(`${gateway.url}/`, { headers: [['x-long', long]] })
    expect(gateway.origin.last.header('x-long')).toBe(long)
  })
})

describe('a plugin', () => {
  const edit = async (request: readonly unknown[], response: readonly unknown[] = []) => {
    gateway.origin.reset()
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      headerProbe('edits', { request_headers: request, response_headers: response }),
    )
  }

  it('edits one of several set-cookie lines and adds another', async () => {
    await edit(
      [],
      [
        { call: 'remove_header', name: 'set-cookie' },
        { call: 'add_header', name: 'set-cookie', value: 'a=1' },
        { call: 'add_header', name: 'set-cookie', value: 'b=2' },
        { call: 'add_header', name: 'set-cookie', value: 'c=3, d' },
      ],
    )
    gateway.origin.answer((exchange) => exchange.reply(200, [['set-cookie', 'old=1']]))
    expect((await send(`${gateway.url}/`)).all('set-cookie')).toEqual(['a=1', 'b=2', 'c=3, d'])
  })

  it('reads bytes and writes bytes', async () => {
    const utf8 = Buffer.from('\u65e5\u672c').toString('hex')
    await edit(
      [
        { call: 'get_header', name: 'x-in', save: 'in' },
        { call: 'set_header', name: 'x-out', value: { concat: [{ saved: 'in' }, { hex: utf8 }] } },
      ],
      [{ call: 'set_header', name: 'x-out', value: { hex: utf8 } }],
    )
    const answer = await sendRaw(
      gateway.url,
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-In: ${Buffer.from('\u00e9').toString('latin1')}\r\n\r\n`,
    )
    const out = Buffer.from('\u00e9\u65e5\u672c').toString('latin1')
    expect(gateway.origin.last.header('x-out')).toBe(out)
    expect(answer).toContain(Buffer.from('\u65e5\u672c').toString('latin1'))
  })

  it('cannot break the message with a value or name that HTTP does not allow; the rest goes out', async () => {
    await edit(
      [
        { call: 'set_header', name: 'x-evil', value: 'a\r\nx-smuggled: 1' },
        { call: 'set_header', name: 'x evil', value: '1' },
        { call: 'set_header', name: 'x-nul', value: { hex: '610062' } },
        { call: 'set_header', name: 'x-good', value: '1' },
      ],
      [
        { call: 'set_header', name: 'x-evil', value: 'a\nset-cookie: b' },
        { call: 'add_header', name: 'set-cookie', value: 'good=1' },
        { call: 'add_header', name: 'set-cookie', value: 'bad=1\r\n\r\n<script>' },
        { call: 'set_header', name: 'x-good', value: '1' },
      ],
    )
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.text, reply.header('x-good')]).toEqual([200, 'ok', '1'])
    expect(reply.all('set-cookie')).toEqual(['good=1'])
    const { last } = gateway.origin
    expect(last.header('x-good')).toBe('1')
    for (const name of ['x-evil', 'x evil', 'x-nul', 'x-smuggled']) {
      expect(last.header(name), name).toBeUndefined()
      expect(reply.header(name), name).toBeUndefined()
    }
    expect(gateway.output()).toContain('header "x-evil" was dropped')
  })

  it('changes method, path and host of the request', async () => {
    await edit([
      { call: 'set_header', name: ':method', value: 'PUT' },
      { call: 'set_header', name: ':path', value: '/other?x=1' },
      { call: 'set_header', name: ':authority', value: 'other.example' },
    ])
    await send(`${gateway.url}/first`, { headers: [['host', 'shop.example']] })
    const { last } = gateway.origin
    expect([last.method, last.target]).toEqual(['PUT', '/other?x=1'])
    // Host follows the upstream's URL; what the plugin wants it to be travels beside it
    expect(last.header('host')).toBe(new URL(gateway.origin.url).host)
    expect(last.header('x-forwarded-host')).toBe('other.example')
  })

  it('does not bring hop-by-hop headers in', async () => {
    await edit(
      [
        { call: 'set_header', name: 'connection', value: 'x-good' },
        { call: 'set_header', name: 'transfer-encoding', value: 'chunked' },
        { call: 'set_header', name: 'content-length', value: '5' },
        { call: 'set_header', name: 'x-good', value: '1' },
      ],
      [
        { call: 'set_header', name: 'transfer-encoding', value: 'chunked' },
        { call: 'set_header', name: 'content-length', value: '5' },
        { call: 'set_header', name: 'x-good', value: '1' },
      ],
    )
    const reply = await send(`${gateway.url}/`)
    expect([reply.text, reply.header('x-good')]).toEqual(['ok', '1'])
    const { last } = gateway.origin
    expect(last.head).not.toMatch(/transfer-encoding|content-length/i)
    expect(last.header('x-good')).toBe('1')
  })
})
