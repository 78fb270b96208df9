import { describe, expect, it } from 'vitest'
import { type KeySource, stickyKeyOf } from './sticky-key.ts'

function request(
  headers: Record<string, string>,
  rest: { path?: string; clientIp?: string } = {},
): KeySource {
  return { header: (name) => headers[name.toLowerCase()] ?? null, path: '/', ...rest }
}

function token(payload: unknown): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return `Bearer e30.${Buffer.from(text).toString('base64url')}.c2ln`
}

const claim = (payload: unknown, name: string): string | undefined =>
  stickyKeyOf({ type: 'jwtClaim', name }, request({ authorization: token(payload) }))

describe('a sticky key', () => {
  it('is the cookie of that name and no other, without its quotes', () => {
    const cookies = request({ cookie: 'xsession=no; session="a=b c"; session=second' })
    expect(stickyKeyOf({ type: 'cookie', name: 'session' }, cookies)).toBe('a=b c')
    expect(stickyKeyOf({ type: 'cookie', name: 'sess' }, cookies)).toBeUndefined()
    expect(stickyKeyOf({ type: 'cookie', name: 'session' }, request({}))).toBeUndefined()
  })

  it('is found among cookies that are written in no good way', () => {
    const cookies = request({ cookie: ';; flag ;=x; flag2; a= ;\tsession = 7 ; b' })
    const value = (name: string): string | undefined =>
      stickyKeyOf({ type: 'cookie', name }, cookies)
    expect(value('session')).toBe('7')
    expect([value('flag'), value('a'), value('b')]).toEqual([undefined, undefined, undefined])
  })

  it('takes a time that grows with the header, whatever stands in it', () => {
    // each pair looking for the next = would take minutes
    const cookie = `${';'.repeat(1_000_000)}=;session=7`
    expect(stickyKeyOf({ type: 'cookie', name: 'session' }, request({ cookie }))).toBe('7')
  })

  it('is a header, whatever the case of its name', () => {
    const key = { type: 'header', name: 'X-Till' } as const
    expect(stickyKeyOf(key, request({ 'x-till': '042-3' }))).toBe('042-3')
  })

  it('is a query parameter, decoded', () => {
    const key = { type: 'query', name: 'user' } as const
    expect(stickyKeyOf(key, request({}, { path: '/a?b=1&user=J%C3%BCrg' }))).toBe('Jürg')
    expect(stickyKeyOf(key, request({}, { path: '/user=1' }))).toBeUndefined()
  })

  it.each([
    ['/?user=7', '7'],
    ['/?user=7&user=8', '7'],
    ['/?users=6&user=7', '7'],
    ['/?a+b=1&%75ser=a+b', 'a b'],
    ['/?user==&x', '='],
    ['/?&&user=7?', '7?'],
    ['/?user', undefined],
    ['/?user=&user=7', undefined],
    ['/?%ff=1&user=%ff', '\ufffd'],
    ['/?', undefined],
  ])('is the query parameter that URLSearchParams finds in %s', (path, expected) => {
    const found = new URLSearchParams(path.slice(2)).get('user')
    expect(found === '' || found === null ? undefined : found).toBe(expected)
    expect(stickyKeyOf({ type: 'query', name: 'user' }, request({}, { path }))).toBe(expected)
  })

  it('is the address of the client, where it is known', () => {
    expect(stickyKeyOf({ type: 'clientIp' }, request({}, { clientIp: '2001:db8::1' }))).toBe(
      '2001:db8::1',
    )
    expect(stickyKeyOf({ type: 'clientIp' }, request({}))).toBeUndefined()
  })

  it('is missing when it is empty', () => {
    expect(stickyKeyOf({ type: 'header', name: 'a' }, request({ a: '' }))).toBeUndefined()
    expect(stickyKeyOf({ type: 'cookie', name: 'a' }, request({ cookie: 'a=""' }))).toBeUndefined()
  })

  it('is a claim of the bearer token: text or number, also one within another', () => {
    expect(claim({ sub: 'jürg' }, 'sub')).toBe('jürg')
    expect(claim({ store: { id: 42 } }, 'store.id')).toBe('42')
    expect(claim({ 'https://shop.test/till': 'x' }, 'https://shop.test/till')).toBe('x')
  })

  it.each([
    ['no token', {}],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['two parts', { authorization: 'Bearer a.b' }],
    ['four parts', { authorization: `${token({ sub: 'x' })}.d` }],
    ['no word before it', { authorization: token({ sub: 'x' }).slice(7) }],
    ['a payload that is no JSON', { authorization: token('{') }],
    ['a payload that is null', { authorization: token('null') }],
    ['a claim that is an object', { authorization: token({ sub: {} }) }],
  ])('is missing with %s', (_, headers: Record<string, string>) => {
    expect(stickyKeyOf({ type: 'jwtClaim', name: 'sub' }, request(headers))).toBeUndefined()
  })

  it('is never what an object has by nature', () => {
    expect(claim({}, 'constructor.name')).toBeUndefined()
  })
})
