/** Sticky keys that the gateway gives out itself, in the built Worker: who gets one, and which answers carry it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type KvFiles, kvFiles } from '../support/kv-files.ts'
import { upstreamAndRoute } from '../support/policy.ts'
import { marking, ROLLOUT_SECRET, rolloutTo, weigh } from '../support/rollouts.ts'
import { acceptAndEcho, openWebSocket } from '../support/websocket.ts'

const ISSUED = { key: { type: 'issued' } }
const LINE = /^postern-key=[\w-]{36}\.[\w-]{22}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/

let gateway: TestGateway
let kv: KvFiles
beforeAll(async () => {
  gateway = await startGateway({
    vars: { ROLLOUT_SECRET, REFRESH_SECONDS: '0.2', REPORT_SECONDS: '0.2' },
  })
  kv = kvFiles(gateway.kv)
})
afterAll(() => gateway.stop())
beforeEach(() => gateway.origin.reset())

interface Seen {
  readonly status: number
  readonly mark: string | null
  readonly cookies: readonly string[]
  readonly body: string
}

async function ask(path = '/', init: RequestInit = {}, url = gateway.url): Promise<Seen> {
  const response = await fetch(`${url}${path}`, { redirect: 'manual', ...init })
  const { status, headers } = response
  const body = await response.text()
  return { status, mark: headers.get('x-mark'), cookies: headers.getSetCookie(), body }
}

/** What a browser sends of what it was given. */
const kept = ({ cookies }: Seen): { headers: { cookie: string } } => ({
  headers: { cookie: cookies.map((line) => line.split(';', 1)[0]).join('; ') },
})

const candidate = marking('mark', 'new')

async function apply(
  weight: number,
  spec: object = {},
  state: object = {},
  script: object = {},
): Promise<void> {
  await gateway.policy(
    upstreamAndRoute(gateway.origin.url),
    marking('mark', 'old', script),
    rolloutTo('mark', marking('mark', 'new', script), { ...ISSUED, ...spec }),
  )
  await weigh(kv, weight, state)
}

const untilGiven = (path = '/', url = gateway.url): Promise<void> =>
  expect
    .poll(async () => (await ask(path, {}, url)).cookies.length, { timeout: 10_000, interval: 100 })
    .toBe(1)

const untilNoneGiven = (path = '/'): Promise<void> =>
  expect
    .poll(async () => (await ask(path)).cookies.length, { timeout: 10_000, interval: 100 })
    .toBe(0)

describe('a client without a key', () => {
  it('is given one with its first answer, and stays on that side in every isolate', async () => {
    await apply(50)
    await untilGiven()
    await untilGiven('/', gateway.twin)
    const marks = new Set<string | null>()
    for (let client = 0; client < 16; client += 1) {
      const first = await ask()
      expect(first.cookies).toEqual([expect.stringMatching(LINE)])
      marks.add(first.mark)
      for (const url of [gateway.url, gateway.twin, gateway.url]) {
        const again = await ask('/', kept(first), url)
        expect(again.mark).toBe(first.mark)
        expect(again.cookies).toEqual([])
      }
    }
    expect(marks).toEqual(new Set(['old', 'new']))
  })

  it('is given another in place of one that was made up', async () => {
    await apply(50)
    await untilGiven()
    const [line = ''] = (await ask()).cookies
    const value = line.slice('postern-key='.length, line.indexOf(';'))
    const other = value[0] === 'a' ? 'b' : 'a'
    for (const forged of [`${other}${value.slice(1)}`, 'x', `${value}x`, 'a'.repeat(3000)]) {
      const { cookies } = await ask('/', { headers: { cookie: `postern-key=${forged}` } })
      expect(cookies).toEqual([expect.stringMatching(LINE)])
    }
    const mine = await ask('/', { headers: { cookie: `theme=dark; postern-key=${value}` } })
    expect(mine.cookies).toEqual([])
  })

  it('is given one cookie for all rollouts that share it, and one more for another', async () => {
    const others = ['tag', 'label'].map((name) => marking(name, 'old'))
    const rollouts = [
      rolloutTo('tag', marking('tag', 'new'), ISSUED),
      rolloutTo('label', marking('label', 'new'), { key: { type: 'issued', name: 'till' } }),
    ]
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      [marking('mark', 'old'), ...others],
      [rolloutTo('mark', candidate, ISSUED), ...rollouts],
    )
    await weigh(kv, 50)
    await expect
      .poll(async () => (await ask()).cookies.length, { timeout: 10_000, interval: 100 })
      .toBe(2)
    const sides = new Set<string>()
    for (let client = 0; client < 30; client += 1) {
      const response = await gateway.fetch('/')
      await response.arrayBuffer()
      const { headers } = response
      const names = headers.getSetCookie().map((line) => line.split('=', 1)[0])
      expect(names.toSorted()).toEqual(['postern-key', 'till'])
      sides.add(`${headers.get('x-mark')} ${headers.get('x-tag')}`)
    }
    // one key, and yet not the same clients go first in both
    expect(sides.size).toBe(4)
  })
})

describe('an answer', () => {
  it('carries the key whatever it is: whole, streamed, not modified, without a body, an error', async () => {
    await apply(50)
    await untilGiven()
    const { origin } = gateway
    origin.answer((exchange) => {
      if (exchange.target === '/304') exchange.reply(304, [['etag', '"a"']])
      else if (exchange.target === '/500')
        exchange.reply(500, [['cache-control', 'private, max-age=60']])
      else
        exchange.reply(
          200,
          [
            ['set-cookie', 'a=b'],
            ['cache-control', 'max-age=0'],
          ],
          'x'.repeat(200_000),
        )
    })
    const given = expect.stringMatching(LINE)
    expect(await ask('/304')).toMatchObject({ status: 304, cookies: [given] })
    expect(await ask('/500')).toMatchObject({ status: 500, cookies: [given] })
    const streamed = await ask('/big')
    expect(streamed).toMatchObject({ status: 200, cookies: ['a=b', given] })
    expect(streamed.body).toHaveLength(200_000)
    expect(await ask('/big', { method: 'HEAD' })).toMatchObject({
      status: 200,
      cookies: ['a=b', given],
    })
    origin.answer((exchange) => void exchange.socket.destroy())
    expect(await ask('/gone')).toMatchObject({ status: 502, cookies: [given] })
  })

  it('carries it when a plugin gives it, by itself or by failing', async () => {
    const request_headers = [
      { call: 'local_reply', status: 403, body: 'no', if: { path: '/no' } },
      { call: 'trap', if: { path: '/trap' } },
    ]
    await apply(50, {}, {}, { request_headers })
    await untilGiven()
    const given = expect.stringMatching(LINE)
    expect(await ask('/no')).toMatchObject({ status: 403, cookies: [given], body: 'no' })
    expect(await ask('/trap')).toMatchObject({ status: 503, cookies: [given] })
  })

  it('does not carry it where a shared cache may keep it, nor with an upgrade', async () => {
    await apply(50)
    await untilGiven()
    for (const control of ['public', 's-maxage=60', 'max-age=60', 'Max-Age="60"']) {
      gateway.origin.answer((exchange) => exchange.reply(200, [['cache-control', control]], 'x'))
      expect((await ask()).cookies).toEqual([])
    }
    for (const control of ['no-store', 'private, max-age=60', 'max-age=0', 'no-cache']) {
      gateway.origin.answer((exchange) => exchange.reply(200, [['cache-control', control]], 'x'))
      expect((await ask()).cookies).toHaveLength(1)
    }
    gateway.origin.answer((exchange) => acceptAndEcho(exchange))
    const socket = await openWebSocket(gateway.url)
    expect(socket.head).toMatch(/^HTTP\/1.1 101/)
    expect(socket.head).not.toMatch(/set-cookie/i)
    socket.send('hello')
    expect(await socket.next()).toBe('echo hello')
    socket.socket.destroy()
  })
})

describe('a promotion before all have had the candidate', () => {
  it('takes it from nobody on a node that does not have the revision yet', async () => {
    await apply(50)
    await untilGiven()
    const clients: Seen[] = []
    for (let client = 0; client < 12; client += 1) clients.push(await ask())
    expect(new Set(clients.map(({ mark }) => mark))).toEqual(new Set(['old', 'new']))
    await weigh(kv, 50, { phase: 'promoted' })
    await untilNoneGiven()
    for (const client of clients) {
      expect((await ask('/', kept(client))).mark).toBe(client.mark)
    }
  })
})

describe('no key is given', () => {
  it('before the rollout is started, when it is over, and to requests it is not for', async () => {
    const matches = { audience: { matches: [{ path: { value: '/shop' } }] } }
    await apply(50, matches, { candidate: 'another one' })
    await untilNoneGiven('/shop')
    await weigh(kv, 50)
    await untilGiven('/shop')
    expect((await ask('/')).cookies).toEqual([])
    await weigh(kv, 0, { phase: 'rolled-back' })
    await untilNoneGiven('/shop')
  })

  it('by a gateway without a secret; a rollout that would need it is refused', async () => {
    const bare = await startGateway({ vars: { ROLLOUT_SECRET: 'short', REFRESH_SECONDS: '0.2' } })
    try {
      const resources = [
        ...upstreamAndRoute(gateway.origin.url),
        marking('mark', 'old'),
        rolloutTo('mark', candidate, ISSUED),
      ]
      const refused = await bare.apply({ base: 0, prune: true, resources })
      expect(refused.status).toBe(422)
      expect(JSON.stringify(refused.result)).toMatch(/rollout\.no_secret.*default\/mark-next/)
      expect(bare.output()).toMatch(/ROLLOUT_SECRET: expected 16 characters or more/)
      expect(bare.output()).not.toContain('short;')
      // one that comes another way, signed elsewhere: every request is one without a key
      const own = kvFiles(bare.kv)
      const named = await own.compile(resources)
      own.putSnapshot(named)
      own.point(1, named.hash)
      await bare.admin('/-/refresh', { method: 'POST' })
      await weigh(own, 99)
      for (let time = 0; time < 15; time += 1) {
        const { mark, cookies } = await ask('/', {}, bare.url)
        expect([mark, cookies]).toEqual(['old', []])
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      await weigh(own, 100)
      await expect
        .poll(async () => (await ask('/', {}, bare.url)).mark, { timeout: 10_000, interval: 100 })
        .toBe('new')
    } finally {
      await bare.stop()
    }
  })
})
