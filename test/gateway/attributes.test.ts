/** Attributes that only a gateway knows: the node, the route, the upstream before and after it is picked again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { httpRoute, probe, route, toUpstream, upstream } from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  const NODE_LABELS = 'store=042, region=eu,zone=fra'
  gateway = await startGateway({
    vars: { NODE_NAME: 'store-042', NODE_CLUSTER: 'stores', NODE_LABELS },
  })
})
afterAll(() => gateway.stop())

/** What one property is, as a header of the response. */
async function property(path: readonly string[], steps: readonly object[] = []): Promise<string> {
  await gateway.policy(
    upstream('origin', { url: gateway.origin.url }),
    upstream('other', { url: gateway.origin.url.replace('127.0.0.1', 'localhost') }),
    route('all', '/', 'origin'),
    route('other', '/other', 'other'),
    probe('attributes', {
      request_headers: steps,
      response_headers: [
        { call: 'get_property', path, save: 'value' },
        { call: 'set_header', map: 'response', name: 'x-value', value: { saved: 'value' } },
      ],
    }),
  )
  return (await send(`${gateway.url}/items`)).header('x-value') ?? ''
}

describe('the gateway says', () => {
  it.each([
    [['xds', 'node', 'id'], 'store-042'],
    [['node', 'cluster'], 'stores'],
    [['xds', 'node', 'metadata', 'store'], '042'],
    [['xds', 'node', 'locality', 'zone'], 'fra'],
    [['xds', 'cluster_name'], 'origin'],
    [['xds', 'route_name'], 'default/all'],
  ])('of %j: %s', async (path, value) => {
    expect(await property(path)).toBe(value)
  })

  it('where a request went, also when it was routed again', async () => {
    const { port } = new URL(gateway.origin.url)
    expect(await property(['upstream', 'address'])).toBe(`127.0.0.1:${port}`)
    const again = [
      { call: 'set_header', map: 'request', name: ':path', value: '/other' },
      { call: 'foreign', function: 'clear_route_cache' },
    ]
    expect(await property(['xds', 'cluster_name'], again)).toBe('other')
    expect(await property(['upstream', 'address'], again)).toBe(`localhost:${port}`)
    expect(await property(['xds', 'route_name'], again)).toBe('default/other')
    expect(await property(['route_name'], again)).toBe('default/other')
  })

  it('how often a request was sent, and where it was sent last', async () => {
    const path = ['upstream', 'request_attempt_count']
    await gateway.policy(
      upstream('origin', { url: gateway.origin.url }),
      upstream('other', { url: gateway.origin.url.replace('127.0.0.1', 'localhost') }),
      httpRoute('all', [
        {
          backendRefs: [toUpstream('origin'), toUpstream('other')],
          retry: { codes: [503], attempts: 3, backoff: '1ms' },
        },
      ]),
      probe('attributes', {
        response_headers: [
          { call: 'get_property', path, save: 'count' },
          { call: 'get_property', path: ['xds', 'cluster_name'], save: 'cluster' },
          { call: 'get_property', path: ['upstream', 'address'], save: 'address' },
          {
            call: 'local_reply',
            headers: [
              ['x-cluster', { saved: 'cluster' }],
              ['x-address', { saved: 'address' }],
            ],
            body: { saved: 'count' },
          },
        ],
      }),
    )
    const { port } = new URL(gateway.origin.url)
    for (const failures of [0, 1, 2, 3]) {
      const hosts: (string | undefined)[] = []
      gateway.origin.answer((exchange) => {
        hosts.push(exchange.header('host'))
        exchange.reply(hosts.length <= failures ? 503 : 200)
      })
      const answer = await send(`${gateway.url}/`)
      expect(Buffer.from(answer.text, 'latin1').readBigInt64LE()).toBe(BigInt(failures + 1))
      expect(hosts).toHaveLength(failures + 1)
      expect(answer.header('x-address')).toBe(hosts.at(-1))
      const last = hosts.at(-1) === `localhost:${port}` ? 'other' : 'origin'
      expect(answer.header('x-cluster')).toBe(last)
    }
    gateway.origin.answer((exchange) => exchange.reply(200))
  })

  it('which route it is still on while nothing was picked again', async () => {
    const edited = [{ call: 'set_header', map: 'request', name: ':path', value: '/other' }]
    expect(await property(['xds', 'route_name'], edited)).toBe('default/all')
    expect(await property(['xds', 'cluster_name'], edited)).toBe('origin')
    // cleared in the request headers, picked only when all plugins have seen them
    const asked = [
      ...edited,
      { call: 'foreign', function: 'clear_route_cache' },
      { call: 'get_property', path: ['xds', 'route_name'], save: 'before' },
      { call: 'set_header', map: 'request', name: 'x-before', value: { saved: 'before' } },
    ]
    await property(['xds', 'route_name'], asked)
    expect(gateway.origin.requests.at(-1)?.headers).toContainEqual(['x-before', 'default/all'])
  })
})
