/** What an upstream with allowed paths may be asked for. */
import { describe, expect, it } from 'vitest'
import { AllowedPaths } from './allowed-paths.ts'

const allowed = new AllowedPaths(['/v1', '/health'])

describe('allowed', () => {
  it.each(['/v1', '/v1/', '/v1/a?b=../x', '/health', '/v1/a#/x', '/v1?%2f'])('%s', (path) =>
    expect(allowed.allow(path)).toBe(true),
  )

  it('everything below /', () => expect(new AllowedPaths(['/']).allow('/any')).toBe(true))
})

describe('not allowed', () => {
  it.each([
    '/',
    '/v2',
    '/v10',
    '/V1',
    '/healthy',
    '/v1/../admin',
    '/v1/..',
    '/v1/../health',
    '/v1/./a',
    '/v1/%2e%2e/admin',
    '/v1/.%2E/admin',
    '/v1/..%2fadmin',
    '/v1\\..\\admin',
    '/v1/..%5cadmin',
    '//v1',
    '/v1/..;/admin',
    '/v1/.;x/admin',
    '/v1/.\t./admin',
    '/v1/.\n./admin',
    '/v1/.. ',
    '/v1/a\u0000',
    'v1',
    '@host/v1',
    '',
    '*',
  ])('%j', (path) => expect(allowed.allow(path)).toBe(false))
})
