/** What becomes of a path between the client's bytes and the upstream's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sendRaw } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { headerProbe, route, upstreamAndRoute } from '../support/policy.ts'

let gateway: TestGateway

/** A plugin that tells the upstream what it saw in a pseudo-header. */
const tell = (name: string, header: string): readonly unknown[] => [
  { call: 'get_header', name, save: header },
  { call: 'set_header', name: header, value: { saved: header } },
]

beforeAll(async () => {
  gateway = await startGateway()
  await gateway.policy(
    upstreamAndRoute(gateway.origin.url),
    headerProbe('tell', {
      request_headers: [...tell(':path', 'x-path'), ...tell(':authority', 'x-authority')],
    }),
  )
})
afterAll(() => gateway.stop())

/** Sends a request line as it is. @returns what the upstream and the plugin saw */
async function ask(target: string, host = 'shop.example', method = 'GET') {
  gateway.origin.reset()
  const answer = await sendRaw(
    gateway.url,
    `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  )
  const [exchange] = gateway.origin.requests
  return {
    answer,
    upstream: exchange?.target,
    plugin: exchange?.header('x-path'),
    authority: exchange?.header('x-authority'),
  }
}

describe('a path', () => {
  it.each([
    '/',
    '/a/b/',
    '/a//b',
    '//a/b',
    '/%41%2F%5c',
    '/a%20b',
    '/..%2fx',
    '/.well-known/x',
    '/...',
    '/a/..;/b',
    '/;a=b',
    '/@x:y',
    '/x%00',
    '/%',
    '/?',
    '/??',
    '/?a=1&a=2&b',
    '/?x=a|b^c&q=%zz',
    '/?next=/../x/./y',
    '/?next=http://a/b?c',
    '/[]',
  ])('reaches plugins and upstream as it was sent: %s', async (target) => {
    expect(await ask(target)).toMatchObject({ upstream: target, plugin: target })
  })

  // Fetch resolves dot segments when a request goes out. A plugin that saw them unresolved would
  // decide about another path than the one that is asked for.
  it.each([
    ['/a/../b', '/b'],
    ['/a/./b', '/a/b'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/.%2E/b?q=/../', '/b?q=/../'],
    ['/public/%2E./admin', '/admin'],
    ['/..', '/'],
    ['/a/..?x', '/?x'],
    ['/%2e', '/'],
    ['/a/../../../b', '/b'],
    ['/public\\..\\admin', '/admin'],
    ['/a\\b?c=\\', '/a/b?c=\\'],
  ])(
    'with dot segments or backslashes is resolved before anybody sees it: %s',
    async (target, resolved) => {
      expect(await ask(target)).toMatchObject({ upstream: resolved, plugin: resolved })
    },
  )

  it('loses its fragment before anybody sees it', async () => {
    expect(await ask('/x?a#b')).toMatchObject({ upstream: '/x?a', plugin: '/x?a' })
    expect(await ask('/p', 'shop.example#')).toMatchObject({ upstream: '/', plugin: '/' })
  })

  it('of OPTIONS * is that of the root, and the star is no part of the host', async () => {
    expect(await ask('*', 'shop.example', 'OPTIONS')).toMatchObject({
      upstream: '/',
      plugin: '/',
      authority: 'shop.example',
    })
  })

  it('that is no path is refused before it gets in', async () => {
    for (const target of ['/\u00e9', '?x']) {
      expect((await ask(target)).answer).toContain('400 Bad Request')
    }
  })
})

describe('a route', () => {
  it('is matched by the path that the upstream sees, so none is reached by another’s prefix', async () => {
    const guard = headerProbe(
      'guard',
      { request_headers: [{ call: 'local_reply', status: 403 }] },
      {
        targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'admin' }],
      },
    )
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      route('public', '/public', 'origin'),
      route('admin', '/admin', 'origin'),
      guard,
    )
    for (const target of [
      '/admin',
      '/public/../admin',
      '/public\\..\\admin',
      '/public/%2e%2E/admin/x',
      '/./admin',
    ]) {
      expect((await ask(target)).answer, target).toContain('HTTP/1.1 403')
    }
    expect((await ask('/public/admin')).answer).toContain('HTTP/1.1 200')
  })
})
