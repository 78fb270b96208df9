/** The admin API, mounted as in the gateway, over ports that only note what they are asked. */
import { Hono } from 'hono'
import { describe, expect, it, vi } from 'vitest'
import type {
  ApplyRequest,
  ApplyResult,
  PromoteRequest,
  RollbackRequest,
} from '../config/apply/apply-request.ts'
import { adminApi } from './api.ts'
import type { ExplainRequest } from './explain-request.ts'
import type { AdminPorts } from './ports.ts'

const TOKEN = 'correct horse battery staple'
const APPLIED: ApplyResult = {
  result: 'applied',
  revision: 2,
  snapshot: 'a'.repeat(64),
  changes: [],
  warnings: [],
}

const READ_TOKEN = 'as many words that may be known'

function api(token: string | undefined, result: ApplyResult = APPLIED) {
  const requests: (ApplyRequest | PromoteRequest | RollbackRequest)[] = []
  const admin = adminApi({
    token,
    ...(token ? { readToken: READ_TOKEN } : {}),
    ports: {
      status: () => Promise.resolve({ revision: 1 }),
      refresh: () => Promise.resolve({ revision: 2 }),
      explain: (request) => Promise.resolve(explained(request)),
      metrics: (_scope, node) => Promise.resolve(`up{node="${node ?? ''}"} 1\n`),
      apply: (request) => {
        requests.push(request)
        return Promise.resolve(result)
      },
      rollback: (request) => {
        requests.push(request)
        return Promise.resolve(result)
      },
      promote: (request) => {
        requests.push(request)
        return Promise.resolve(result)
      },
      history: () => Promise.resolve({ revision: 2, revisions: [] }),
    },
  })
  // Mounted, as in the gateway.
  const app = new Hono().route('/', admin)
  const ask = (method: string, path: string, given?: string, body?: string) =>
    app.request(path, {
      method,
      ...(given === undefined ? {} : { headers: { authorization: `Bearer ${given}` } }),
      ...(body === undefined ? {} : { body }),
    })
  return { ask, requests }
}

/** As a gateway would: with a route for everything of revision 3 and what runs. */
function explained(request: ExplainRequest): Awaited<ReturnType<AdminPorts['explain']>> {
  if (request.at !== undefined && request.at !== 3) {
    return { code: 'explain.revision_unknown', message: `revision ${request.at}` }
  }
  return { explanation: { asked: request } }
}

const code = async (response: Response): Promise<string> => {
  const body: { error: { code: string } } = await response.json()
  return body.error.code
}

describe('who may ask', () => {
  it('answers healthz to everybody', async () => {
    for (const token of [undefined, '', TOKEN]) {
      const response = await api(token).ask('GET', '/-/healthz')
      expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
    }
  })

  it.each([
    ['GET', '/-/status'],
    ['POST', '/-/apply'],
    ['POST', '/-/refresh'],
    ['GET', '/-/metrics'],
    ['POST', '/-/healthz'],
    ['GET', '/-/'],
  ])('answers nothing else without a configured token: %s %s', async (method, path) => {
    for (const token of [undefined, '']) {
      const response = await api(token).ask(method, path, '')
      expect([response.status, await code(response)]).toEqual([403, 'admin.off'])
    }
  })

  it.each([
    ['no token', undefined],
    ['an empty one', ''],
    ['another one', 'wrong'],
    ['a part of it', TOKEN.slice(0, -1)],
    ['more than it', `${TOKEN}x`],
  ])('refuses %s', async (_what, given) => {
    const response = await api(TOKEN).ask('GET', '/-/status', given)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('Bearer')
    const text = await response.text()
    expect(text).toContain('admin.unauthorized')
    expect(text).not.toContain(TOKEN)
  })

  it('lets the right one in', async () => {
    const response = await api(TOKEN).ask('GET', '/-/status', TOKEN)
    expect([response.status, await response.json()]).toEqual([200, { revision: 1 }])
  })
})

describe('what it answers', () => {
  it('refreshes', async () => {
    const response = await api(TOKEN).ask('POST', '/-/refresh', TOKEN)
    expect(await response.json()).toEqual({ revision: 2 })
  })

  it('shows metrics as text, of one node when asked', async () => {
    const response = await api(TOKEN).ask('GET', '/-/metrics?node=ams', TOKEN)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await response.text()).toBe('up{node="ams"} 1\n')
  })

  it('hands a change to the writer with its defaults filled in', async () => {
    const { ask, requests } = api(TOKEN)
    const response = await ask('POST', '/-/apply', TOKEN, '{"resources":[{"a":1}],"base":1}')
    expect([response.status, await response.json()]).toEqual([200, APPLIED])
    expect(requests).toEqual([
      {
        resources: [{ a: 1 }],
        base: 1,
        by: '',
        why: '',
        dryRun: false,
        prune: false,
        force: false,
      },
    ])
  })

  it.each([
    ['no JSON', '{'],
    ['no resources', '{"base":1}'],
    ['a base that is no number', '{"resources":[],"base":"1"}'],
    ['a member nobody knows', '{"resources":[],"jump":true}'],
  ])('refuses a body with %s', async (_what, body) => {
    const { ask, requests } = api(TOKEN)
    const response = await ask('POST', '/-/apply', TOKEN, body)
    expect([response.status, await code(response)]).toEqual([400, 'config.request_invalid'])
    expect(requests).toEqual([])
  })

  it.each([
    [409, 'apply.conflict', { result: 'conflict', current: 3 }],
    [503, 'apply.failed', { result: 'failed', code: 'apply.failed', message: 'KV: 429' }],
    [
      422,
      'plugin.preflight_refused',
      { result: 'refused', problems: [], preflight: [{ plugin: 'p', ok: false, logs: ['x'] }] },
    ],
    [
      422,
      'config.invalid',
      {
        result: 'refused',
        problems: [
          { code: 'config.no_effect', severity: 'warning', resource: '', path: [], message: 'w' },
          { code: 'config.invalid', severity: 'error', resource: '', path: [], message: 'e' },
        ],
        preflight: [],
      },
    ],
  ] as const)('answers %i %s with the whole result', async (status, expected, result) => {
    const { ask } = api(TOKEN, result)
    const response = await ask('POST', '/-/apply', TOKEN, '{"resources":[],"base":1}')
    const copy = response.clone()
    expect([response.status, await code(response)]).toEqual([status, expected])
    expect(await copy.json()).toMatchObject(result)
  })

  it('explains a request that is given as a query', async () => {
    const query =
      '?url=https://shop.example/a%3Fb=c&method=POST&header=X-Beta:+yes&header=a:b&at=3&run'
    const response = await api(TOKEN).ask('GET', `/-/explain${query}`, READ_TOKEN)
    expect(await response.json()).toEqual({
      asked: {
        url: 'https://shop.example/a?b=c',
        method: 'POST',
        headers: [
          ['X-Beta', 'yes'],
          ['a', 'b'],
        ],
        at: 3,
        run: true,
        upstream: false,
        showSecrets: false,
      },
    })
  })

  it.each([
    ['GET', '', 400, 'config.request_invalid'],
    ['GET', '?url=/a', 400, 'config.request_invalid'],
    ['GET', '?url=ftp://x/', 400, 'config.request_invalid'],
    ['GET', '?url=http://x/&at=soon', 400, 'config.request_invalid'],
    ['GET', '?url=http://x/&upstream=true', 400, 'config.request_invalid'],
    ['GET', '?url=http://x/&at=2', 404, 'explain.revision_unknown'],
    ['POST', '{}', 400, 'config.request_invalid'],
    ['POST', '{"url":"http://x/","force":true}', 400, 'config.request_invalid'],
    ['POST', '{"url":"http://x/","headers":[["a"]]}', 400, 'config.request_invalid'],
    ['POST', '{"url":"http://x/","run":true,"upstream":true}', 403, 'admin.read_only'],
    ['POST', '{"url":"http://x/","showSecrets":true}', 403, 'admin.read_only'],
  ])('does not explain %s %s to who reads', async (method, asked, status, expected) => {
    const { ask } = api(TOKEN)
    const response =
      method === 'GET'
        ? await ask(method, `/-/explain${asked}`, READ_TOKEN)
        : await ask(method, '/-/explain', READ_TOKEN, asked)
    expect([response.status, await code(response)]).toEqual([status, expected])
  })

  it('asks an upstream and shows secrets for who writes', async () => {
    const body = '{"url":"http://x/","run":true,"upstream":true,"showSecrets":true}'
    const response = await api(TOKEN).ask('POST', '/-/explain', TOKEN, body)
    expect(await response.json()).toMatchObject({ asked: { upstream: true, showSecrets: true } })
  })

  it('lists revisions', async () => {
    const response = await api(TOKEN).ask('GET', '/-/history', TOKEN)
    expect([response.status, await response.json()]).toEqual([200, { revision: 2, revisions: [] }])
  })

  it('hands a promotion to the writer, and says who else was first', async () => {
    const { ask, requests } = api(TOKEN)
    const body = '{"rollout":"default.next","base":3}'
    expect((await ask('POST', '/-/rollouts/promote', TOKEN, body)).status).toBe(200)
    expect(requests).toEqual([
      { rollout: 'default.next', base: 3, by: '', why: '', dryRun: false, force: false },
    ])
    const late = api(TOKEN, { result: 'conflict', current: 4 })
    expect((await late.ask('POST', '/-/rollouts/promote', TOKEN, body)).status).toBe(409)
    const nameless = await ask('POST', '/-/rollouts/promote', TOKEN, '{"base":3}')
    expect([nameless.status, await code(nameless)]).toEqual([400, 'config.request_invalid'])
    expect((await ask('POST', '/-/rollouts/promote', READ_TOKEN, body)).status).toBe(403)
  })

  it('hands a rollback to the writer, to a revision or to what ran before', async () => {
    const { ask, requests } = api(TOKEN)
    const pointer = {
      revision: 3,
      snapshot: 'a'.repeat(64),
      previous: null,
      issuedAt: '2026-11-01T00:00:00.000Z',
      signature: { keyId: 'k'.repeat(16), value: 'v'.repeat(86) },
    }
    const signed = JSON.stringify({ to: 1, base: 2, why: 'x', pointer })
    expect((await ask('POST', '/-/rollback', TOKEN, signed)).status).toBe(200)
    expect((await ask('POST', '/-/rollback', TOKEN, '{"base":3}')).status).toBe(200)
    expect(requests).toEqual([
      { to: 1, base: 2, by: '', why: 'x', dryRun: false, pointer },
      { base: 3, by: '', why: '', dryRun: false },
    ])
  })

  it.each([
    ['a revision that is none', '{"to":-1}'],
    ['resources', '{"resources":[]}'],
    ['half a signature', '{"pointer":{"revision":1,"signature":"x"}}'],
    ['an expiry that is no time', '{"signing":{"keyId":"k","expiresAt":"soon"}}'],
  ])('refuses a rollback with %s', async (_what, body) => {
    const { ask, requests } = api(TOKEN)
    const response = await ask('POST', '/-/rollback', TOKEN, body)
    expect([response.status, await code(response), requests]).toEqual([
      400,
      'config.request_invalid',
      [],
    ])
  })

  it('names a path that does not exist', async () => {
    const response = await api(TOKEN).ask('GET', '/-/nothing', TOKEN)
    expect([response.status, await code(response)]).toEqual([404, 'admin.not_found'])
  })

  it('says nothing of a failure but its code', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const admin = adminApi({
      token: TOKEN,
      ports: {
        status: () => Promise.reject(new Error('inside')),
        refresh: () => Promise.resolve({}),
        metrics: () => Promise.resolve(''),
        explain: () => Promise.reject(new Error('inside')),
        apply: () => Promise.resolve(APPLIED),
        rollback: () => Promise.resolve(APPLIED),
        promote: () => Promise.resolve(APPLIED),
        history: () => Promise.resolve({ revision: 0, revisions: [] }),
      },
    })
    const app = new Hono().route('/', admin)
    const response = await app.request('/-/status', {
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    const text = await response.text()
    expect([response.status, text.includes('inside')]).toEqual([500, false])
    expect(log).toHaveBeenCalledWith('admin.failed GET /-/status: inside')
    log.mockRestore()
  })
})
