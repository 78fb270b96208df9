/** Previews in the built Worker: a token forces one side for whoever sends it, and nothing else changes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Preview, PreviewTokens } from '../../src/rollout/preview-token.ts'
import { commandLine } from '../support/command-line.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type KvFiles, kvFiles } from '../support/kv-files.ts'
import { upstreamAndRoute } from '../support/policy.ts'
import { marking, ROLLOUT_SECRET, rolloutTo, weigh } from '../support/rollouts.ts'
import { ADMIN_TOKEN } from '../support/workerd.ts'

const tokens = new PreviewTokens(ROLLOUT_SECRET)
const MARK = { rollout: 'default.mark-next', side: 'candidate' } as const
const TAG = { rollout: 'default.tag-next', side: 'candidate' } as const

let gateway: TestGateway
let kv: KvFiles
beforeAll(async () => {
  gateway = await startGateway({
    vars: { ROLLOUT_SECRET, NODE_LABELS: 'ring=1', REFRESH_SECONDS: '0.2', REPORT_SECONDS: '0.2' },
  })
  kv = kvFiles(gateway.kv)
})
afterAll(() => gateway.stop())
beforeEach(() => gateway.origin.reset())

const issued = (preview: Preview, seconds = 60, by: PreviewTokens = tokens): Promise<string> =>
  by.issue(preview, Date.now(), seconds * 1000)

function apply(spec: object = {}, ...more: object[]): Promise<number> {
  const rollout = rolloutTo('mark', marking('mark', 'new'), spec)
  return gateway.policy(upstreamAndRoute(gateway.origin.url), marking('mark', 'old'), rollout, more)
}

async function answered(
  headers: Record<string, string> = {},
  path = '/',
  url = gateway.url,
): Promise<Headers> {
  const response = await fetch(`${url}${path}`, { headers })
  await response.arrayBuffer()
  return response.headers
}

const mark = async (...asked: Parameters<typeof answered>): Promise<string | null> =>
  (await answered(...asked)).get('x-mark')

const bearing = async (preview: Preview): Promise<{ 'x-postern-preview': string }> => ({
  'x-postern-preview': await issued(preview),
})

const until = (
  headers: Record<string, string>,
  value: string,
  path?: string,
  url?: string,
): Promise<void> =>
  expect.poll(() => mark(headers, path, url), { timeout: 10_000, interval: 100 }).toBe(value)

describe('a till with a token', () => {
  it('gets the candidate before anybody else does, from every isolate', async () => {
    await apply()
    const headers = await bearing(MARK)
    await mark({}, '/', gateway.twin)
    for (const url of [gateway.url, gateway.twin]) {
      await until(headers, 'new', '/', url)
      expect(await mark(headers, '/', url)).toBe('new')
      expect(await mark({}, '/', url)).toBe('old')
    }
  })

  it('gets the stable version at 100 per cent, if that is what its token says', async () => {
    await apply()
    await weigh(kv, 100)
    await until({}, 'new')
    expect(await mark(await bearing({ ...MARK, side: 'stable' }))).toBe('old')
  })

  it('may send it as a cookie, beside others', async () => {
    await apply()
    await weigh(kv, 0)
    await until({}, 'old')
    const token = await issued(MARK)
    await until({ cookie: `a=b; postern-preview=${token}` }, 'new')
    expect(await mark({ cookie: `a=b; postern-preview-not=${token}` })).toBe('old')
  })

  it('is served like everybody when the token is not good', async () => {
    await apply()
    const bad = await Promise.all([
      tokens.issue(MARK, Date.now() - 61_000, 60_000),
      issued(MARK, 60, new PreviewTokens('another secret of it')),
      issued(MARK).then((token) => token.replace('candidate', 'stable')),
      issued({ ...MARK, side: 'stable' }).then((token) => token.replace('stable', 'candidate')),
      issued({ ...MARK, rollout: 'default.other' }),
      'candidate, ~~ .default.mark-next. %00 %C3%A9',
    ])
    const all = (): Promise<(string | null)[]> =>
      Promise.all(bad.map((token) => mark({ 'x-postern-preview': token })))
    await weigh(kv, 0)
    await until({}, 'old')
    expect(new Set([...(await all()), ...(await all())])).toEqual(new Set(['old']))
    await weigh(kv, 100)
    await until({}, 'new')
    expect(new Set(await all())).toEqual(new Set(['new']))
  })

  it('gets it whatever its key is, but not for requests that the rollout is not for', async () => {
    await apply({ audience: { never: ['till-1'], matches: [{ path: { value: '/shop' } }] } })
    const headers = { ...(await bearing(MARK)), 'x-user': 'till-1' }
    await until(headers, 'new', '/shop/a?b')
    expect(await mark(headers, '/')).toBe('old')
  })

  it('has one for each of two rollouts', async () => {
    await apply({}, marking('tag', 'old'), rolloutTo('tag', marking('tag', 'new')))
    const [one, other] = [await issued(MARK), await issued(TAG)]
    await until({ 'x-postern-preview': one }, 'new')
    expect((await answered({ 'x-postern-preview': one })).get('x-tag')).toBe('old')
    for (const headers of [
      { 'x-postern-preview': `${one}, ${other}` },
      { cookie: `postern-preview=${one}~${other}` },
      { 'x-postern-preview': one, cookie: `postern-preview=${other}` },
    ]) {
      const seen = await answered(headers as unknown as Record<string, string>)
      expect([seen.get('x-mark'), seen.get('x-tag')]).toEqual(['new', 'new'])
    }
    // what is sent counts before what was kept
    const kept = await issued({ ...MARK, side: 'stable' })
    expect(await mark({ 'x-postern-preview': one, cookie: `postern-preview=${kept}` })).toBe('new')
  })

  it('gets no candidate where it is killed', async () => {
    await apply()
    const headers = await bearing(MARK)
    await until(headers, 'new')
    await weigh(kv, 100, {}, [{ plugin: 'default.mark', selector: { ring: '1' } }])
    await until(headers, 'old')
    await weigh(kv, 0)
    await until(headers, 'new')
  })

  it('has the candidate do the most that the steps have for its node, and no more', async () => {
    const shadow = { mode: 'shadow', weight: 100, pause: '1h' }
    const headers = await bearing(MARK)
    await apply({ steps: [shadow, { mode: 'enforce', weight: 1, pause: '1h' }] })
    await weigh(kv, 0)
    await until(headers, 'new')
    const elsewhere = { selector: { matchLabels: { ring: '2' } } }
    await apply({ steps: [shadow, { mode: 'enforce', weight: 1, pause: '1h', ...elsewhere }] })
    await until(headers, 'old')
  })

  it('gets none on nodes that have none', async () => {
    await apply({ audience: { selector: { matchLabels: { ring: '2' } } } })
    const headers = await bearing(MARK)
    await until({}, 'old')
    expect(await mark(headers)).toBe('old')
    expect(gateway.origin.last.header('x-postern-preview')).toBeUndefined()
  })
})

describe('a token', () => {
  it('is seen by no plugin and no upstream; other cookies are', async () => {
    const show = [
      { call: 'get_header', name: 'x-postern-preview', save: 'h' },
      { call: 'get_header', name: 'cookie', save: 'c' },
      { call: 'set_header', name: 'x-header-seen', value: { concat: ['[', { saved: 'h' }, ']'] } },
      { call: 'set_header', name: 'x-cookie-seen', value: { concat: ['[', { saved: 'c' }, ']'] } },
    ]
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      marking('mark', 'old', { request_headers: show }),
      rolloutTo('mark', marking('mark', 'new', { request_headers: show })),
    )
    const token = await issued(MARK)
    const headers = { 'x-postern-preview': token, cookie: `a=b; postern-preview=${token}; c="d"` }
    await until(headers, 'new')
    const { last } = gateway.origin
    expect(last.header('x-header-seen')).toBe('[]')
    expect(last.header('x-cookie-seen')).toBe('[a=b; c="d"]')
    expect(last.header('cookie')).toBe('a=b; c="d"')
    expect(last.head).not.toContain(token)
    await mark({ cookie: `postern-preview=${token}` })
    expect(gateway.origin.last.all('cookie')).toEqual([])
  })

  it('does not pass where there are no plugins, either', async () => {
    const only = {
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'x' }],
    }
    const [upstream, all] = upstreamAndRoute(gateway.origin.url)
    const plugin = marking('mark', 'old') as { spec: object }
    await gateway.policy(
      [upstream as object, all as object, routeAt('/x')],
      { ...plugin, spec: { ...plugin.spec, ...only } },
      rolloutTo('mark', marking('mark', 'new')),
    )
    const token = await issued(MARK)
    const headers = { 'x-postern-preview': token, cookie: `postern-preview=${token}; a=b` }
    await until(headers, 'new', '/x')
    expect(await mark(headers, '/y')).toBe(null)
    expect(gateway.origin.last.target).toBe('/y')
    expect(gateway.origin.last.header('cookie')).toBe('a=b')
    expect(gateway.origin.last.head).not.toContain(token)
  })

  it('leaves body and method as they are', async () => {
    await apply()
    const headers = await bearing(MARK)
    await until(headers, 'new')
    const body = 'x'.repeat(100_000)
    gateway.origin.answer(async (exchange) => {
      await exchange.body()
      exchange.reply(200)
    })
    const response = await gateway.fetch('/in', { method: 'PUT', headers, body })
    expect(response.headers.get('x-mark')).toBe('new')
    expect(gateway.origin.last.method).toBe('PUT')
    expect((await gateway.origin.last.body()).toString()).toBe(body)
  })
})

describe('what a preview does', () => {
  it('is not counted, on neither side', async () => {
    await apply()
    await weigh(kv, 50, { run: 42 })
    const users = Array.from({ length: 20 }, (_, index) => ({ 'x-user': `user-${index}` }))
    await expect
      .poll(async () => (await Promise.all(users.map((user) => mark(user)))).includes('new'), {
        timeout: 10_000,
        interval: 200,
      })
      .toBe(true)
    const settled = await counted()
    const [candidate, stable] = [await bearing(MARK), await bearing({ ...MARK, side: 'stable' })]
    for (const user of users) {
      await mark({ ...user, ...candidate })
      await mark({ ...user, ...stable })
    }
    await mark({ 'x-user': 'user-0' })
    await expect.poll(counted, { timeout: 10_000 }).toBe(settled + 1)
  })

  it('is a compared run in a shadow, told and not counted', async () => {
    // another one than those before: their weights say nothing of it
    const candidate = marking('mark', 'newer')
    const rollout = rolloutTo('mark', candidate, { mode: 'shadow' })
    await gateway.policy(upstreamAndRoute(gateway.origin.url), marking('mark', 'old'), rollout)
    await weigh(kv, 0)
    await until({}, 'old')
    const shadows = (): number => gateway.output().split('"decision":"shadow"').length
    const before = shadows()
    expect(await mark({ 'x-user': 'someone' })).toBe('old')
    await expect
      .poll(
        async () => {
          expect(await mark(await bearing(MARK))).toBe('old')
          return shadows()
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBeGreaterThan(before)
    const metrics = await (await gateway.admin('/-/metrics')).text()
    expect(metrics).not.toMatch(/postern_shadow_runs_total/)
    const told = shadows()
    await mark(await bearing({ ...MARK, side: 'stable' }))
    await mark({ 'x-user': 'someone' })
    expect(shadows()).toBe(told)
  })
})

describe('an explanation', () => {
  interface Explained {
    readonly previews?: { readonly good: readonly object[]; readonly ignored: number }
    readonly chain: readonly { readonly plugin: string }[]
    readonly skipped: readonly object[]
    readonly run?: object
  }
  async function explained(header: string | undefined, run = false): Promise<Explained> {
    const headers = header === undefined ? [] : [['x-postern-preview', header]]
    const body = JSON.stringify({ url: 'http://shop.test/', headers, run })
    const answer = await gateway.admin('/-/explain', { method: 'POST', body })
    expect(answer.status).toBe(200)
    return (await answer.json()) as Explained
  }

  it('says what tokens do, and goes through the side that they force', async () => {
    await apply()
    const token = await issued(MARK)
    await until({ 'x-postern-preview': token }, 'new')
    const plain = await explained(undefined)
    expect(plain.previews).toBeUndefined()
    expect(plain.chain).toMatchObject([{ plugin: 'default.mark' }])
    const tried = await explained(`${token}, made.up`)
    expect(tried.previews).toEqual({
      good: [{ ...MARK, until: expect.stringMatching(/^20.*Z$/) }],
      ignored: 1,
    })
    expect(tried.chain).toMatchObject([{ plugin: 'default.mark (candidate)' }])
    expect(tried.skipped).toEqual([])
  })

  it('runs plugins that see no token, and shows none', async () => {
    const token = await issued(MARK)
    const { run } = await explained(token, true)
    expect(JSON.stringify(run)).toContain('x-mark')
    expect(JSON.stringify(run)).not.toContain('preview')
    const line = await commandLine({}, { fetch })
    const where = ['--gateway', gateway.url, '--token', ADMIN_TOKEN]
    const header = ['--header', `x-postern-preview: ${token},over`]
    const { stdout } = await line.postern(
      'explain',
      '--url',
      'http://shop.test/',
      ...header,
      ...where,
    )
    expect(stdout).toMatch(/preview: the candidate side of default\.mark-next until 20/)
    expect(stdout).toMatch(/1 preview token without effect/)
    expect(stdout).not.toContain(token)
  })
})

/** Requests that this run counted, once two looks agree. */
async function counted(): Promise<number> {
  const read = async (): Promise<number> => {
    const text = await (await gateway.admin('/-/metrics')).text()
    const lines = text.matchAll(/^postern_rollout_requests_total\{[^}]*run="42"[^}]*\} (\d+)$/gm)
    return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
  }
  for (let last = -1; ;) {
    const now = await read()
    if (now === last) return now
    last = now
    await new Promise((resolve) => setTimeout(resolve, 600))
  }
}

function routeAt(path: string): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'x' },
    spec: {
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: path } }],
          backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: 'origin' }],
        },
      ],
    },
  }
}
