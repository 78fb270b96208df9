/** Who may do what: the two tokens, what each opens, and how often one may be wrong. */
import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type AdminEnv, type AuthOptions, refuseWrite, requireCaller } from './auth.ts'

const WRITE = 'the token that writes'
const READ = 'the token that reads'
const hashed = (token: string): string =>
  `sha256:${createHash('sha256').update(token).digest('hex')}`

const REQUESTS = [
  ['GET', '/-/status'],
  ['HEAD', '/-/status'],
  ['POST', '/-/explain'],
  ['POST', '/-/apply'],
  ['POST', '/-/rollback'],
  ['PUT', '/-/status'],
  ['DELETE', '/-/explain'],
] as const

interface Ask {
  readonly token?: string
  readonly from?: string
  readonly headers?: Readonly<Record<string, string>>
}

function gateway(options: Partial<AuthOptions>) {
  const app = new Hono<AdminEnv>().basePath('/-')
  app.use(
    requireCaller({
      token: undefined,
      clientAddress: (request) => request.headers.get('from') ?? undefined,
      ...options,
    }),
  )
  app.post('/maybe', (c) => refuseWrite(c) ?? c.text('done'))
  app.all('*', (c) => c.text(c.get('caller').role))
  return async (method: string, path: string, { token, from, headers }: Ask = {}) => {
    const response = await app.request(path, {
      method,
      headers: {
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(from === undefined ? {} : { from }),
      },
    })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
}

describe.each([
  ['as they are', WRITE, READ],
  ['as digests', hashed(WRITE), hashed(READ)],
])('tokens given %s', (_how, token, readToken) => {
  it.each(REQUESTS)('the one that writes may %s %s', async (method, path) => {
    const { status } = await gateway({ token, readToken })(method, path, { token: WRITE })
    expect(status).toBe(200)
  })

  it.each(REQUESTS)('the one that reads may %s %s only when that reads', async (method, path) => {
    const { status, text } = await gateway({ token, readToken })(method, path, { token: READ })
    const reads = method === 'GET' || method === 'HEAD' || path === '/-/explain'
    expect(status).toBe(reads && method !== 'DELETE' ? 200 : 403)
    if (status === 403)
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'admin.read_only' } })
  })

  it('the one that reads is stopped where the body turns out to write', async () => {
    const ask = gateway({ token, readToken })
    expect((await ask('POST', '/-/maybe', { token: READ })).status).toBe(403)
    expect((await ask('POST', '/-/maybe', { token: WRITE })).text).toBe('done')
  })

  it('the configured text of a digest is no token', async () => {
    const ask = gateway({ token: hashed(WRITE) })
    expect((await ask('GET', '/-/status', { token: hashed(WRITE) })).status).toBe(401)
  })
})

describe('one token alone', () => {
  it('opens reading when only that is configured', async () => {
    const ask = gateway({ readToken: READ })
    expect((await ask('GET', '/-/status', { token: READ })).text).toBe('read')
    expect((await ask('POST', '/-/apply', { token: READ })).status).toBe(403)
    expect((await ask('GET', '/-/status', { token: '' })).status).toBe(401)
  })

  it('that is configured wrongly lets nobody in and says so in the log', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const ask = gateway({ token: 'sha256:secret' })
    const { status, text } = await ask('GET', '/-/status', { token: 'sha256:secret' })
    expect([status, text]).toEqual([403, expect.stringContaining('admin.off')])
    expect(log.mock.calls).toEqual([
      [expect.stringMatching(/^ADMIN_TOKEN: expected 64 hex digits/)],
    ])
    expect(JSON.stringify(log.mock.calls)).not.toContain('secret')
    log.mockRestore()
  })
})

describe('wrong tokens', () => {
  afterEach(() => vi.useRealTimers())

  it('are answered 429 after ten from one address, also when the right one follows', async () => {
    vi.useFakeTimers({ now: 0, toFake: ['Date'] })
    const ask = gateway({ token: WRITE })
    for (let i = 0; i < 10; i++) {
      const { status } = await ask('GET', '/-/status', { token: `wrong ${i}`, from: '192.0.2.1' })
      expect(status).toBe(401)
    }
    const blocked = await ask('GET', '/-/status', { token: WRITE, from: '192.0.2.1' })
    expect([blocked.status, blocked.headers.get('retry-after')]).toEqual([429, '60'])
    expect(JSON.parse(blocked.text)).toMatchObject({ error: { code: 'admin.too_many_attempts' } })
    expect((await ask('GET', '/-/status', { token: WRITE, from: '192.0.2.2' })).status).toBe(200)
    vi.setSystemTime(60_000)
    expect((await ask('GET', '/-/status', { token: WRITE, from: '192.0.2.1' })).status).toBe(200)
  })

  it('are not requests without any, nor reads that wanted to write', async () => {
    const ask = gateway({ token: WRITE, readToken: READ })
    for (let i = 0; i < 15; i++) {
      await ask('GET', '/-/status')
      await ask('GET', '/-/status', { headers: { 'cf-access-jwt-assertion': 'x' } })
      await ask('POST', '/-/apply', { token: READ })
    }
    expect((await ask('GET', '/-/status', { token: WRITE })).status).toBe(200)
  })
})
