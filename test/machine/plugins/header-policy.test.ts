import { describe, expect, it } from 'vitest'
import { get, playShipped, refusal, type ShippedOptions } from '../../support/shipped.ts'

const play = (configuration: unknown, options: ShippedOptions = {}) =>
  playShipped('header-policy', configuration, { version: '1.1.0', ...options })

describe('header-policy', () => {
  it.each(['1.0.0', '1.1.0'])('%s says which version ran', async (version) => {
    const { response } = await play({}, { version })
    expect(response.headers.get('x-policy-version')).toBe(`header-policy/${version}`)
    const silent = await play({ version_header: '' }, { version })
    expect(silent.response.headers.has('x-policy-version')).toBe(false)
  })

  it('removes, sets, appends and adds, in that order', async () => {
    const { sent } = await play(
      {
        request: {
          remove: ['x-gone'],
          set: { 'x-set': 'new', 'x-fresh': '1' },
          append: { 'x-list': 'b', 'x-alone': 'only' },
          add: [
            { name: 'x-more', value: '1' },
            { name: 'x-more', value: '2' },
          ],
        },
      },
      { request: get('/', { 'x-gone': '1', 'x-set': 'old', 'x-list': 'a' }) },
    )
    expect(Object.fromEntries(sent?.headers ?? [])).toMatchObject({
      'x-set': 'new',
      'x-fresh': '1',
      'x-list': 'a, b',
      'x-alone': 'only',
      'x-more': '1, 2',
    })
    expect(sent?.headers.has('x-gone')).toBe(false)
  })

  it('edits what only `set` may: pseudo-headers of both directions', async () => {
    const { sent, response } = await play({
      request: { set: { ':path': '/other?x=1', ':method': 'PUT', ':authority': 'else.example' } },
      response: { set: { ':status': '203' } },
    })
    expect(sent).toMatchObject({ path: '/other?x=1', method: 'PUT', authority: 'else.example' })
    expect(response.status).toBe(203)
  })

  it('adds cookie lines beside those of the upstream', async () => {
    const headers = new Headers([['set-cookie', 'theirs=1']])
    const { response } = await play(
      { response: { add: [{ name: 'set-cookie', value: 'ours=1; Path=/' }] } },
      { response: new Response(null, { headers }) },
    )
    expect(response.headers.getSetCookie()).toEqual(['theirs=1', 'ours=1; Path=/'])
  })

  it('fills templates in 1.1.0, and sends them as they are in 1.0.0', async () => {
    const policy = {
      request: {
        set: {
          'x-what': '${request.method} ${request.url_path}?${request.query} of ${request.host}',
          'x-agent': '${request.header.user-agent}/${request.header.x-none}',
          'x-dollar': '$${literal}',
          'x-port': '${property.source.port}',
        },
      },
      response: { set: { 'x-seen': '${request.path} ${response.header.x-up}' } },
    }
    const options = {
      request: get('/a/b?c=d', { 'user-agent': 'curl' }),
      response: new Response('ok', { headers: { 'x-up': 'stream' } }),
    }
    const filled = await play(policy, options)
    expect(Object.fromEntries(filled.sent?.headers ?? [])).toMatchObject({
      'x-what': 'GET /a/b?c=d of shop.example',
      'x-agent': 'curl/',
      'x-dollar': '${literal}',
      'x-port': '',
    })
    expect(filled.response.headers.get('x-seen')).toBe('/a/b?c=d stream')
    const plain = await play(
      { request: { set: { 'x-p': '${request.path}' } } },
      { version: '1.0.0' },
    )
    expect(plain.sent?.headers.get('x-p')).toBe('${request.path}')
  })

  it.each([
    ['no JSON', '{'],
    ['an unknown field', { requests: {} }],
    ['a wrong type', { request: { remove: 'x' } }],
    ['a name that is none', { request: { set: { 'a b': '1' } } }],
    ['a value with a line break', { request: { set: { a: '1\r\nb: 2' } } }],
  ])('refuses %s', async (_, configuration) => {
    await expect(refusal('header-policy', configuration)).resolves.toMatch(
      /^plugin\.configure_refused: \S/,
    )
  })
})
