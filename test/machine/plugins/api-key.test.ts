import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { get, playShipped, refusal } from '../../support/shipped.ts'

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex')

const CONFIG = {
  keys: [
    { sha256: sha256('secret'), consumer: 'store-042', paths: ['/api'] },
    { sha256: sha256('master'), consumer: 'head office' },
  ],
  query: 'api_key',
}

const play = (request: Request, configuration: unknown = CONFIG) =>
  playShipped('api-key', configuration, { request })

const code = (body: string): unknown => (JSON.parse(body) as { error: { code: string } }).error.code

describe('api-key', () => {
  it('lets a known key in, tells the upstream whose it is and keeps the key from it', async () => {
    const { response, sent } = await play(get('/api/stock', { 'x-api-key': 'secret' }))
    expect(response.status).toBe(200)
    expect(sent?.headers.get('x-consumer')).toBe('store-042')
    expect(sent?.headers.has('x-api-key')).toBe(false)
  })

  it('takes it from the query where that is allowed, and out of it', async () => {
    const { sent } = await play(get('/api/stock?a=1&api_key=secret&page=2'))
    expect([sent?.path, sent?.headers.get('x-consumer')]).toEqual([
      '/api/stock?a=1&page=2',
      'store-042',
    ])
  })

  it('answers 401 without a key, and says how to bring one', async () => {
    const { response, body, sent } = await play(get('/api/stock'))
    expect([response.status, code(body), sent]).toEqual([401, 'api_key.missing', undefined])
    expect(response.headers.get('www-authenticate')).toBe('ApiKey realm="api"')
  })

  it.each([
    ['an unknown key', '/api', 'guessed', 'api_key.unknown'],
    ['an empty difference', '/api', 'secret ', 'api_key.unknown'],
    ['another path', '/admin', 'secret', 'api_key.forbidden'],
    ['a path that only begins alike', '/apix', 'secret', 'api_key.forbidden'],
    ['an encoded way around', '/api%2f..%2fadmin', 'secret', 'api_key.forbidden'],
  ])('answers 403 for %s', async (what, path, key, expected) => {
    const request = get(path, { 'x-api-key': key })
    if (what === 'an empty difference') {
      // Fetch trims header values: there is no such difference on the wire
      expect((await play(request)).response.status).toBe(200)
      return
    }
    const { response, body, sent } = await play(request)
    expect([response.status, code(body), sent]).toEqual([403, expected, undefined])
  })

  it('lets a key without paths in everywhere', async () => {
    const { sent } = await play(get('/admin', { 'x-api-key': 'master' }))
    expect(sent?.headers.get('x-consumer')).toBe('head office')
  })

  it('never passes on who a client says it is', async () => {
    const forged = { 'x-consumer': 'store-001', 'x-api-key': 'secret' }
    expect((await play(get('/api', forged))).sent?.headers.get('x-consumer')).toBe('store-042')
  })

  it.each([
    ['no keys', { keys: [] }],
    ['a hash that is none', { keys: [{ sha256: 'abc', consumer: 'a' }] }],
    ['an unknown field', { ...CONFIG, headers: 'x' }],
    ['nothing at all', ''],
  ])('refuses %s', async (_, configuration) => {
    await expect(refusal('api-key', configuration)).resolves.toMatch(
      /^plugin\.configure_refused: \S/,
    )
  })
})
