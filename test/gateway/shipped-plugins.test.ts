/** The plugins that are shipped, as their configuration would have them, in the whole gateway. */
import { createHash } from 'node:crypto'
import { Agent, get } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { begin, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { headerPolicy, upstream, upstreamAndRoute, wasmPlugin } from '../support/policy.ts'
import { freePort } from '../support/workerd.ts'

let gateway: TestGateway
let authz: Origin
beforeAll(async () => {
  gateway = await startGateway()
  authz = await startOrigin()
})
afterAll(async () => {
  await gateway.stop()
  await authz.stop()
})
afterEach(() => {
  gateway.origin.reset()
  authz.reset()
})

const shipped = (name: string, config: object, spec: object = {}): object =>
  wasmPlugin(name, `oci://ghcr.io/postern/${name}:1.0.0`, config, spec)

describe('api-key', () => {
  beforeAll(() =>
    gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      shipped('api-key', {
        keys: [
          {
            consumer: 'store-042',
            sha256: createHash('sha256').update('secret').digest('hex'),
            paths: ['/api'],
          },
        ],
      }),
    ),
  )

  it('asks for a key', async () => {
    const reply = await send(`${gateway.url}/api`)
    expect([reply.status, reply.header('content-type')]).toEqual([401, 'application/json'])
    expect(reply.header('www-authenticate')).toBeDefined()
    expect(gateway.origin.requests).toHaveLength(0)
  })

  it('lets a known one in, takes it off and says whose it was', async () => {
    const reply = await send(`${gateway.url}/api`, {
      headers: [
        ['x-api-key', 'secret'],
        ['x-consumer', 'forged'],
      ],
    })
    expect(reply.status).toBe(200)
    const { last } = gateway.origin
    expect([last.header('x-consumer'), last.header('x-api-key')]).toEqual(['store-042', undefined])
  })

  it('forbids what the key is not for, whatever the path is written like', async () => {
    const headers = [['x-api-key', 'secret']] as const
    for (const path of ['/other', '/api/../other', '/api/%2e%2e/other', '/apis']) {
      expect((await send(`${gateway.url}${path}`, { headers })).status, path).toBe(403)
    }
  })

  it('answers while a body is still being sent', async () => {
    const { request, response } = begin(`${gateway.url}/api`, {
      method: 'POST',
      headers: [['transfer-encoding', 'chunked']],
    })
    request.on('error', () => undefined)
    request.write('x')
    expect((await response).status).toBe(401)
    request.destroy()
  })
})

describe('mask-card-numbers', () => {
  beforeAll(() =>
    gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      shipped('mask-card-numbers', { direction: 'both' }),
    ),
  )

  it('masks a number that is split over chunks, in both directions', async () => {
    gateway.origin.answer(async (exchange) => {
      exchange.start(200, [['content-type', 'text/plain']])
      for (const part of ['card 41', '11 1111 ', '1111 1', '111 end']) {
        exchange.chunk(part)
        await new Promise((resolve) => setImmediate(resolve))
      }
      exchange.finish()
    })
    const { request, response } = begin(`${gateway.url}/`, {
      method: 'POST',
      headers: [
        ['transfer-encoding', 'chunked'],
        ['content-type', 'application/json'],
      ],
    })
    request.write('{"card":"5555 5555 ')
    request.end('5555 4444"}')
    const opened = await response
    let text = ''
    for (let next = await opened.next(); next; next = await opened.next()) text += next.toString()
    expect(text).toBe('card **** **** **** 1111 end')
    expect((await gateway.origin.last.body()).toString()).toBe('{"card":"**** **** **** 4444"}')
  })

  it('leaves what is no number, and other types, alone', async () => {
    for (const [type, body] of [
      ['text/plain', 'order 4111 1111 1111 1112'],
      ['image/png', '4111111111111111'],
    ] as const) {
      gateway.origin.answer((exchange) => exchange.reply(200, [['content-type', type]], body))
      expect((await send(`${gateway.url}/`)).text).toBe(body)
    }
  })

  it('gives the right length where one is given at all', async () => {
    gateway.origin.answer((exchange) =>
      exchange.reply(200, [['content-type', 'text/plain']], '4111111111111111'),
    )
    const reply = await send(`${gateway.url}/`)
    expect(reply.text).toBe('************1111')
    expect(reply.header('content-length') ?? `${reply.bytes.length}`).toBe(`${reply.bytes.length}`)
  })
})

describe('remote-authz', () => {
  const policy = (config: object = {}, url = authz.url) =>
    gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      upstream('authz', { url }),
      shipped('remote-authz', {
        upstream: 'authz',
        path: '/check',
        copy_to_request: ['x-user'],
        copy_to_response: ['x-trace'],
        timeout_ms: 300,
        ...config,
      }),
    )
  const settled = () => gateway.until('settled', ({ vms }) => vms.contexts === 1)

  it('lets pass what is allowed, with the headers of the verdict', async () => {
    await policy()
    authz.answer((exchange) =>
      exchange.reply(200, [
        ['x-user', 'ann'],
        ['x-trace', '7'],
      ]),
    )
    const reply = await send(`${gateway.url}/items?a=1`, {
      method: 'POST',
      headers: [
        ['authorization', 'Bearer x'],
        ['x-user', 'forged'],
      ],
      body: 'the body',
    })
    expect([reply.status, reply.header('x-trace')]).toEqual([200, '7'])
    expect(gateway.origin.last.header('x-user')).toBe('ann')
    expect((await gateway.origin.last.body()).toString()).toBe('the body')
    const question = authz.last
    expect([question.method, question.target]).toEqual(['GET', '/check'])
    expect(question.header('x-original-path')).toBe('/items?a=1')
    expect(question.header('x-original-method')).toBe('POST')
    expect(question.header('authorization')).toBe('Bearer x')
    await settled()
  })

  it('denies with the verdict’s own answer', async () => {
    await policy()
    authz.answer((exchange) => exchange.reply(403, [['content-type', 'text/plain']], 'not you'))
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.text, reply.header('content-type')]).toEqual([
      403,
      'not you',
      'text/plain',
    ])
    expect(gateway.origin.requests).toHaveLength(0)
    await settled()
  })

  it.each([
    ['does not answer', () => undefined],
    ['breaks off', (exchange: { reset(): void }) => exchange.reset()],
    ['answers 500', (exchange: { reply(status: number): void }) => exchange.reply(500)],
  ])('denies, or allows if so configured, when the server %s', async (_how, handler) => {
    authz.answer(handler)
    await policy()
    expect((await send(`${gateway.url}/`)).status).toBe(503)
    expect(gateway.origin.requests).toHaveLength(0)
    await policy({ on_failure: 'allow' })
    expect((await send(`${gateway.url}/`)).status).toBe(200)
    await settled()
  })

  it('denies when the server cannot be reached', async () => {
    await policy({}, `http://127.0.0.1:${await freePort()}`)
    expect((await send(`${gateway.url}/`)).status).toBe(503)
  })

  it('keeps two requests apart that ask at the same time', async () => {
    await policy()
    const waiting: (() => void)[] = []
    authz.answer((exchange) => {
      const path = exchange.header('x-original-path') ?? ''
      waiting.push(() =>
        path === '/denied' ? exchange.reply(403) : exchange.reply(200, [['x-user', path]]),
      )
      // answered the other way round than they were asked
      if (waiting.length === 3) for (const answer of waiting.toReversed()) answer()
    })
    const [a, denied, b] = await Promise.all(
      ['/a', '/denied', '/b'].map((path) => send(`${gateway.url}${path}`)),
    )
    expect([a?.status, denied?.status, b?.status]).toEqual([200, 403, 200])
    const users = gateway.origin.requests.map((one) => [one.target, one.header('x-user')])
    expect(users.toSorted()).toEqual([
      ['/a', '/a'],
      ['/b', '/b'],
    ])
    await settled()
  })

  it('whose client leaves before the verdict does not reach the upstream', async () => {
    await policy({ timeout_ms: 2_000 })
    authz.answer(() => undefined)
    const client = begin(`${gateway.url}/`)
    client.request.end()
    const question = await authz.request()
    client.leave()
    await settled()
    question.reply(200)
    authz.answer((exchange) => exchange.reply(200))
    expect((await send(`${gateway.url}/next`)).status).toBe(200)
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/next'])
  })
})

/** One request on a kept connection, its body read and dropped. */
function statusOf(agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(gateway.url, { agent, headers: { 'x-api-key': 'k' } }, (response) => {
      response.on('end', () => resolve(response.statusCode)).resume()
    }).on('error', reject)
  })
}

it('10,000 requests through five plugins leave vms, contexts and memory as they were', async () => {
  authz.answer((exchange) => exchange.reply(200))
  const key = createHash('sha256').update('k').digest('hex')
  await gateway.policy(
    upstreamAndRoute(gateway.origin.url),
    headerPolicy('1.0.0', { response: { set: { 'x-a': '1' } } }, 'one'),
    headerPolicy('1.1.0', { response: { set: { 'x-b': '${request.path}' } } }, 'two'),
    headerPolicy('1.0.0', { request: { set: { 'x-c': '1' } } }, 'three'),
    shipped('api-key', { keys: [{ consumer: 'c', sha256: key }] }),
    shipped('mask-card-numbers', {}),
  )
  gateway.origin.answer((exchange) => {
    exchange.reply(200, [['content-type', 'text/plain']], 'card 4111111111111111')
    // ten thousand recorded requests are not what is measured
    gateway.origin.requests.length = 0
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const some = async (count: number): Promise<void> => {
    let left = count
    const one = async (): Promise<void> => {
      while (left-- > 0) expect(await statusOf(agent)).toBe(200)
    }
    await Promise.all(Array.from({ length: 8 }, one))
  }
  await some(1_000)
  const before = await gateway.status()
  const rss = gateway.rss()
  await some(10_000)
  const after = await gateway.status()
  agent.destroy()
  expect(before.vms.count).toBe(5)
  expect(after.vms).toEqual(before.vms)
  expect(gateway.rss() - rss).toBeLessThan(64 * 1024 * 1024)
})
