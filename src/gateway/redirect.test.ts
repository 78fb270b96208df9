/** Locations, by Gateway API's rules. */
import { expect, it } from 'vitest'
import type { Redirect } from '../config/snapshot.ts'
import { redirectReply } from './redirect.ts'

const request = { scheme: 'http', authority: 'shop.test:8080', path: '/a/b?c=1' }
const path = (type: 'full' | 'prefix', value: string): Pick<Redirect, 'path'> => ({
  path: { type, value },
})

it.each([
  [{}, 'http://shop.test:8080/a/b?c=1'],
  [{ scheme: 'https' }, 'https://shop.test/a/b?c=1'],
  [{ scheme: 'http' }, 'http://shop.test/a/b?c=1'],
  [{ scheme: 'https', port: 8443 }, 'https://shop.test:8443/a/b?c=1'],
  [{ scheme: 'https', port: 443 }, 'https://shop.test/a/b?c=1'],
  [{ port: 80 }, 'http://shop.test/a/b?c=1'],
  [{ hostname: 'www.test' }, 'http://www.test:8080/a/b?c=1'],
  [path('full', '/new'), 'http://shop.test:8080/new?c=1'],
  [path('prefix', '/x'), 'http://shop.test:8080/x/b?c=1'],
] as const)('%j leads to %s', (redirect, location) => {
  const reply = redirectReply({ ...redirect, status: 308 }, request, '/a')
  expect([reply.status, reply.headers]).toEqual([308, ['location', location]])
})

it('keeps the brackets of an address', () => {
  const asked = { ...request, authority: '[::1]:8080' }
  expect(redirectReply({ status: 302 }, asked, '/').headers).toEqual([
    'location',
    'http://[::1]:8080/a/b?c=1',
  ])
  const plain = { ...request, authority: '[::1]' }
  expect(redirectReply({ status: 302 }, plain, '/').headers[1]).toBe('http://[::1]/a/b?c=1')
})
