/** Where the request of an upstream goes. */
import { expect, it } from 'vitest'
import { type Fetcher, Upstream } from './upstream.ts'

async function asked(path: string, url = 'http://shop.test:81'): Promise<string> {
  let target = ''
  const network: Fetcher = {
    fetch: (where) => {
      target = new URL(where).href
      return Promise.resolve(new Response())
    },
  }
  const config = { name: 'shop', url, aliases: [], timeoutMs: 0 }
  await new Upstream(config, { network, service: () => undefined }).fetch(path, {})
  return target
}

it.each([
  ['/a?b=c', 'http://shop.test:81/a?b=c'],
  ['', 'http://shop.test:81/'],
  ['?b=c', 'http://shop.test:81/?b=c'],
])('the path %j is put behind its url', async (path, target) => {
  expect(await asked(path)).toBe(target)
})

// a plugin writes `:path` as it likes, also from what a client sent
it.each([
  '@evil.test/x',
  '.evil.test/x',
  '23/x',
  ':82/x',
  'evil.test',
  '\\@evil.test',
  '\t@evil.test',
])('the path %j leads to no other host or port', async (path) => {
  expect(new URL(await asked(path)).host).toBe('shop.test:81')
  expect(new URL(await asked(path, 'http://shop.test:81/base')).pathname).toMatch(/^\/base\//)
  expect(new URL(await asked(path)).username).toBe('')
})

it.each([
  '/../x',
  '/a/../../x',
  '/%2e%2E/x',
  '/.%2e/x?y',
  '\\..\\x',
  '/.\t./x',
  '/.\n./x',
  '/..#x',
  '../x',
  '..',
])("the path %j does not lead out of the upstream's own path", async (path) => {
  expect(new URL(await asked(path, 'http://shop.test/base')).pathname).toMatch(/^\/base\//)
})
