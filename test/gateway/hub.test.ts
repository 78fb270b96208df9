/** A store reports over HTTP to a hub: what the hub shows of it, what it hears, and what a bad line does. */
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parsePrometheus, valueOf } from '../../src/observe/testing/prometheus-parser.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { kvFiles } from '../support/kv-files.ts'
import { headerProbe, upstreamAndRoute } from '../support/policy.ts'
import { rolloutResource } from '../support/rollout-policy.ts'
import { freePort } from '../support/workerd.ts'

const TOKEN = 'a-token-that-reports-and-nothing-else'
const ROLLOUT = 'default.next'
const FAST = { REFRESH_SECONDS: '0.5', MAX_STALE_SECONDS: '1', REPORT_SECONDS: '0.2' }

let hub: TestGateway
let store: TestGateway
let line: Line
beforeAll(async () => {
  hub = await startGateway({
    vars: {
      ...FAST,
      NODE_NAME: 'edge',
      REPORT_TOKENS: `old-token-of-20-chars ${TOKEN}`,
      RISE_LEAD_SECONDS: '0',
    },
  })
  await hub.policy(upstreamAndRoute(hub.origin.url), marking('old'), rollout())
  line = await startLine(hub.url)
  store = await startGateway({
    vars: {
      ...FAST,
      NODE_NAME: 'store-042',
      NODE_LABELS: 'store=042',
      HUB_URL: line.url,
      HUB_TOKEN: TOKEN,
    },
  })
  bring(store.kv)
  await store.until('the policy', ({ revision }) => revision > 0)
})
afterAll(async () => {
  await store.stop()
  await line.stop()
  await hub.stop()
})

/** What an agent does that brings a policy to a store: everything but the key `rollouts`. */
function bring(to: string): void {
  for (const key of readdirSync(hub.kv)) {
    if (/^(active|snapshot\.)/.test(key)) cpSync(join(hub.kv, key), join(to, key))
  }
}

interface Line {
  readonly url: string
  /** How each request is answered in place of the hub; undefined: by the hub. */
  broken: ((response: ServerResponse, request: IncomingMessage) => void) | undefined
  /** Loses the hub's answers, or sends each report twice. */
  mode: 'sound' | 'deaf' | 'twice'
  /** What was sent: paths, and whether a token came along. */
  readonly sent: { readonly path: string; readonly authorization: string | undefined }[]
  stop(): Promise<void>
}

/** Stands between a store and its hub. */
async function startLine(to: string): Promise<Line> {
  const forward = (request: IncomingMessage, body: Buffer): Promise<Response> =>
    fetch(`${to}${request.url}`, {
      method: 'POST',
      headers: { authorization: request.headers.authorization ?? '' },
      body: new Uint8Array(body),
    })
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const { authorization } = request.headers
      line.sent.push({ path: request.url ?? '', authorization })
      if (line.broken !== undefined) return line.broken(response, request)
      const body = Buffer.concat(chunks)
      if (line.mode === 'twice') await forward(request, body)
      const answer = await forward(request, body)
      const text = await answer.text()
      if (line.mode === 'deaf') return response.destroy()
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const line: Line = {
    url: `http://127.0.0.1:${port}`,
    broken: undefined,
    mode: 'sound',
    sent: [],
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return line
}

const steps = (value: string): object => ({
  response_headers: [{ call: 'set_header', name: 'x-mark', value }],
  request_headers: [
    { call: 'metric_define', type: 'counter', name: 'seen', save: 'seen' },
    { call: 'metric_increment', metric: { saved: 'seen' } },
  ],
})
const marking = (value: string): object => headerProbe('mark', steps(value) as never)

const rollout = (): object =>
  rolloutResource(
    'mark',
    { steps: steps('new'), quiet: true, quiet_calls: true },
    { steps: [{ weight: 100, pause: '1h' }] },
  )

async function act(action: string): Promise<void> {
  const body = JSON.stringify({ rollout: ROLLOUT, action, by: 'ada' })
  expect((await hub.admin('/-/rollouts', { method: 'POST', body })).status).toBe(200)
}

/** Requests to the store. */
let asked = 0

async function mark(url: string): Promise<string | null> {
  if (url === store.url) asked += 1
  const response = await fetch(url, { headers: { 'x-user': 'ada' } })
  await response.arrayBuffer()
  expect(response.status).toBe(200)
  return response.headers.get('x-mark')
}

/** What the hub shows of the store. */
async function seen(): Promise<number | undefined> {
  const text = await (await hub.admin('/-/metrics?node=store-042')).text()
  return valueOf(parsePrometheus(text), 'seen')
}

const until = <T>(ask: () => Promise<T>, expected: T): Promise<void> =>
  expect.poll(ask, { timeout: 10_000, interval: 50 }).toEqual(expected)

/** Each request to the store is counted at the hub once, however its reports came. */
async function untilAllSeen(): Promise<void> {
  await until(async () => {
    const all = asked
    if ((await seen()) === all) return true
    // a report that failed is sent again with the next request
    await mark(store.url)
    await new Promise((resolve) => setTimeout(resolve, 300))
    return false
  }, true)
}

describe('a hub', () => {
  it('shows what its stores report, and a store says where that is', async () => {
    await until(async () => {
      await mark(store.url)
      await mark(hub.url)
      return (await hub.status()).nodes?.flatMap(({ node, state }) =>
        node.includes('singletons') ? [] : [[node, state]],
      )
    }, [
      ['edge', 'current'],
      ['store-042', 'current'],
    ])
    const own = await store.status()
    expect(own).toMatchObject({ hub: line.url, nodes: null, active: { revision: 1 } })
    const text = await (await store.admin('/-/metrics')).text()
    expect(text).toMatch(/^# this isolate alone;.*they are seen at the hub http:/)
    expect(valueOf(parsePrometheus(text), 'postern_reports_up')).toBe(0)
  })

  it('takes a token that reports for nothing else, and no other one for reports', async () => {
    const ask = async (token: string, path: string, method = 'GET'): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`${hub.url}${path}`, { method, headers })).status
    }
    const reports = TOKEN
    expect(await ask(reports, '/-/status')).toBe(401)
    expect(await ask(reports, '/-/rollouts', 'POST')).toBe(401)
    expect(await ask('test-token', '/-/reports', 'POST')).toBe(401)
    expect(await ask('old-token-of-20-chars', '/-/reports', 'POST')).toBe(400)
    expect(await ask(reports, '/-/reports', 'POST')).toBe(400)
  })

  it('counts what is sent twice, or without hearing the answer, once', async () => {
    for (const mode of ['twice', 'deaf', 'twice', 'sound'] as const) {
      line.mode = mode
      for (let i = 0; i < 5; i += 1) await mark(store.url)
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    line.mode = 'sound'
    await untilAllSeen()
  })

  it.each<readonly [string, NonNullable<Line['broken']>]>([
    ['is down', (response) => response.destroy()],
    ['fails', (response) => response.writeHead(500).end('{"error":{}}')],
    ['answers with a page', (response) => response.writeHead(200).end('<html>log in</html>')],
    ['answers with another JSON', (response) => response.writeHead(200).end('{"acknowledged":1}')],
    [
      'answers without end',
      (response) => {
        response.writeHead(200)
        const chunk = Buffer.alloc(64 * 1024, ' ')
        const more = (): void => void (response.destroyed || response.write(chunk, more))
        more()
      },
    ],
    ['does not know the token', (response) => response.writeHead(401).end()],
  ])('that %s leaves requests alone and loses nothing', async (_, broken) => {
    line.broken = broken
    const failed = line.sent.length
    for (let i = 0; i < 10; i += 1) await mark(store.url)
    await expect.poll(() => line.sent.length, { timeout: 10_000 }).toBeGreaterThan(failed)
    line.broken = undefined
    await untilAllSeen()
  })

  it('that points elsewhere is not followed', async () => {
    line.sent.length = 0
    line.broken = (response) => response.writeHead(307, { location: `${line.url}/elsewhere` }).end()
    for (let i = 0; i < 10; i += 1) await mark(store.url)
    await expect.poll(() => line.sent.length, { timeout: 10_000 }).toBeGreaterThan(0)
    line.broken = undefined
    await untilAllSeen()
    expect(new Set(line.sent.map(({ path }) => path))).toEqual(new Set(['/-/reports']))
    expect(`${store.output()}${hub.output()}`).not.toContain(TOKEN)
    expect(store.output()).toMatch(/the hub .* does not take reports: it answered 307/)
  })
})

describe('a store', () => {
  it("follows its hub's rollouts though its own KV has none, and leads none", async () => {
    const both = async (): Promise<unknown> => [await mark(hub.url), await mark(store.url)]
    expect(await both()).toEqual(['old', 'old'])
    await act('start')
    await until(both, ['new', 'new'])
    await act('abort')
    await until(both, ['old', 'old'])
    expect(readdirSync(store.kv)).not.toContain('rollouts')
    expect((await store.admin('/-/rollouts')).status).toBe(503)
    expect(kvFiles(hub.kv).read('rollouts')).toMatch(/rolled-back/)
  })

  it('that led rollouts itself before follows its hub, whatever its own store has', async () => {
    const { rollouts } = JSON.parse(kvFiles(hub.kv).read('rollouts') ?? '')
    const own = { ...rollouts[ROLLOUT], phase: 'running', moves: [{ effectiveAt: 1, weight: 100 }] }
    const before = await startGateway({
      vars: { ...FAST, NODE_NAME: 'store-007', HUB_URL: hub.url, HUB_TOKEN: TOKEN },
    })
    try {
      const document = {
        version: 1000,
        publisher: 'its-own',
        rollouts: { [ROLLOUT]: own },
        kills: [],
      }
      kvFiles(before.kv).put('rollouts', JSON.stringify(document))
      bring(before.kv)
      await before.until('the policy', ({ revision }) => revision > 0)
      await until(() => mark(before.url), 'old')
      // its store is read again, and changes nothing
      await new Promise((resolve) => setTimeout(resolve, 700))
      expect(await mark(before.url)).toBe('old')
      await act('start')
      await until(() => mark(before.url), 'new')
      await act('abort')
      await until(() => mark(before.url), 'old')
    } finally {
      await before.stop()
    }
  })

  it('that nobody has asked for long looks before it serves', async () => {
    /** What the first request gets that comes behind a rollback of which the store cannot have heard. */
    const first = async (): Promise<unknown> => {
      await act('start')
      await until(() => mark(store.url), 'new')
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      await act('abort')
      return mark(store.url)
    }
    // it waits for a quarter of a second, which a busy machine may need for other things
    await expect.poll(first, { timeout: 30_000, interval: 1 }).toBe('old')
  })
})
