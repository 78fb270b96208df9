/** What of an explanation is not shown. */
import { describe, expect, it } from 'vitest'
import { Masker } from './mask.ts'

const masked = <T>(value: T, names: readonly string[] = []): T => new Masker(names).apply(value)

describe('headers that carry secrets', () => {
  it.each([
    ['authorization', 'Basic dXNlcjpwYXNz', 'Basic ***'],
    ['authorization', 'Bearer abc.def.ghi', 'Bearer ***'],
    ['authorization', 'AWS4-HMAC-SHA256 Credential=x', '***'],
    ['cookie', 'a=b; sid=1234567', '***'],
    ['set-cookie', 'sid=1234567; Path=/', '***'],
    ['x-api-key', 'k', '***'],
    ['x-auth-token', 't', '***'],
    ['cf-access-jwt-assertion', 'ey', '***'],
    ['x-of-the-shop', 'yes', '***'],
    ['accept', 'text/html', 'text/html'],
    ['x-author', 'ann', 'ann'],
  ])('%s: %s is shown as %s', (name, value, shown) => {
    const lines = { headers: [[name, value]] }
    expect(masked(lines, ['x-of-the-shop'])).toEqual({ headers: [[name, shown]] })
  })

  it('are hidden in changes and in filters', () => {
    expect(
      masked({
        requestHeaders: [
          { name: 'cookie', before: ['sid=1234567'], after: ['sid=7654321', 'b=c'] },
          { name: 'x-a', after: ['b'] },
        ],
        filters: { requestHeaders: { set: [['x-api-key', 'abcdefg']], remove: ['cookie', 'b'] } },
      }),
    ).toEqual({
      requestHeaders: [
        { name: 'cookie', before: ['***'], after: ['***', '***'] },
        { name: 'x-a', after: ['b'] },
      ],
      filters: { requestHeaders: { set: [['x-api-key', '***']], remove: ['cookie', 'b'] } },
    })
  })
})

describe('what was hidden once', () => {
  it('is hidden in every text, also before', () => {
    const value = {
      logs: [{ message: 'user token-of-ann, cookie sid=1234567 and Bearer of nothing' }],
      headers: [
        ['authorization', 'Bearer token-of-ann'],
        ['cookie', 'a=b; sid=1234567'],
      ],
    }
    expect(masked(value).logs).toEqual([
      { message: 'user ***, cookie sid=*** and Bearer of nothing' },
    ])
  })

  it('is not looked for when it is a short word', () => {
    const value = { headers: [['cookie', 'a=yes']], text: 'yes, a' }
    expect(masked(value).text).toBe('yes, a')
  })
})

it('query parameters are hidden by their names', () => {
  const url = 'https://shop.example/a?token=x&page=2&X-Amz-Signature=y#z'
  const shown = 'https://shop.example/a?token=***&page=2&X-Amz-Signature=***#z'
  expect(masked({ request: { url } })).toEqual({ request: { url: shown } })
  expect(masked({ name: ':path', before: ['/a?api_key=1&sid=2'] }, ['sid', 'api_key'])).toEqual({
    name: ':path',
    before: ['/a?api_key=***&sid=***'],
  })
})

it('numbers, empty values and sizes stay', () => {
  const value = { body: { before: 11, after: 5 }, lastError: null, list: [], trapped: undefined }
  expect(masked(value)).toEqual(value)
})
