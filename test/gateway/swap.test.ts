/** Versions change through KV while requests run. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { open, readAll, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { kvFiles } from '../support/kv-files.ts'
import { headerProbe, probe, route, upstreamAndRoute } from '../support/policy.ts'
import { ECHO_VERSION, marked as markedPolicy, swapUnderLoad } from '../support/swaps.ts'

let gateway: TestGateway
beforeAll(async () => {
  // requests answer with what they were asked with: version headers of both directions meet in one reply
  gateway = await startGateway({
    handler: (exchange) =>
      exchange.reply(200, [[ECHO_VERSION, exchange.header('x-asked') ?? 'none']], 'ok'),
  })
})
afterAll(() => gateway.stop())
afterEach(() => gateway.origin.reset())

/** A policy that marks both directions with a version of the module and of the configuration. */
const marked = (version: string, mark: string): object[] =>
  markedPolicy(gateway.origin.url, version, mark)

describe('apply', () => {
  it('changes the module version and its configuration for the next request', async () => {
    await gateway.policy(marked('1.0.0', 'one'))
    const before = await send(`${gateway.url}/`)
    expect(before.header('x-policy-version')).toBe('header-policy/1.0.0')
    const revision = await gateway.policy(marked('1.1.0', 'two'))
    const after = await send(`${gateway.url}/`)
    expect(after.header('x-policy-version')).toBe('header-policy/1.1.0')
    expect([after.header('x-seen'), after.header('x-answered')]).toEqual(['two', 'two'])
    const status = await gateway.status()
    expect(status.revision).toBe(revision)
    expect(status.plugins[0]).toMatchObject({ moduleVersion: '1.1.0', vm: 'running' })
    expect(status.vms).toMatchObject({ count: 1, contexts: 1 })
  })

  it('starts only what changed: the other plugin keeps its vm', async () => {
    const other = headerProbe('counts', {
      request_headers: [{ call: 'set_header', name: 'x-first', value: '1', if: { total: 1 } }],
    })
    await gateway.policy(marked('1.0.0', 'a'), other)
    await send(`${gateway.url}/`)
    await gateway.policy(marked('1.1.0', 'b'), other)
    await send(`${gateway.url}/`)
    expect(gateway.origin.requests.map((one) => one.header('x-first'))).toEqual(['1', undefined])
  })

  it('leaves a long response with the version that it began with, and then ends that', async () => {
    const policy = (mark: string): object[] => [
      ...upstreamAndRoute(gateway.origin.url),
      probe('long', {
        response_body: [{ call: 'set_body', value: mark, if: { end_of_stream: false } }],
      }),
    ]
    await gateway.policy(policy('old'))
    gateway.origin.answer((exchange) => exchange.start(200))
    const response = await open(`${gateway.url}/`)
    const exchange = await gateway.origin.request()
    exchange.chunk('x')
    expect((await response.next())?.toString()).toBe('old')
    await gateway.policy(policy('new'))
    gateway.origin.answer((another) => another.reply(200, [], 'whatever'))
    await send(`${gateway.url}/`)
    exchange.chunk('y')
    expect((await response.next())?.toString()).toBe('old')
    expect((await gateway.status()).vms.contexts).toBeGreaterThan(1)
    exchange.finish()
    await readAll(response)
    await gateway.until('without the old one', ({ vms }) => vms.contexts === 1)
  })

  it('changes routes and upstreams as well', async () => {
    await gateway.policy(upstreamAndRoute(gateway.origin.url))
    expect((await send(`${gateway.url}/a`)).status).toBe(200)
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url).slice(0, 1),
      route('only-b', '/b', 'origin'),
    )
    expect((await send(`${gateway.url}/a`)).status).toBe(404)
    expect((await send(`${gateway.url}/b`)).status).toBe(200)
  })
})

describe('the pointer moved by hand', () => {
  it('is followed by the next requests, forwards', async () => {
    const kv = kvFiles(gateway.kv)
    const base = await gateway.policy(marked('1.0.0', 'by-apply'))
    await send(`${gateway.url}/`)
    const named = await kv.compile(marked('1.1.0', 'by-hand'))
    kv.putSnapshot(named)
    kv.point(base + 100, named.hash)
    await expect
      .poll(async () => (await send(`${gateway.url}/`)).header('x-answered'), { timeout: 8_000 })
      .toBe('by-hand')
    expect((await gateway.status()).revision).toBe(base + 100)
  })

  it('does not keep the next apply from going on from there', async () => {
    const { revision: base } = await gateway.status()
    const { status, result } = await gateway.apply({
      resources: marked('1.0.0', 'again'),
      base,
      prune: true,
    })
    expect([status, result.result]).toEqual([200, 'applied'])
    await gateway.admin('/-/refresh', { method: 'POST' })
    expect((await send(`${gateway.url}/`)).header('x-answered')).toBe('again')
  })
})

it('200 swaps under load: no request fails, none sees two versions', async () => {
  const base = await gateway.policy(marked('1.0.0', 'v0'))
  const { requests, wrong, seen, refused } = await swapUnderLoad(gateway, base, 200)
  expect(wrong).toEqual([])
  expect(requests).toBeGreaterThan(200)
  expect(seen.size).toBe(4)
  expect(refused).toBe(20)
  await gateway.until('one vm left', ({ vms }) => vms.count === 1 && vms.contexts === 1)
})
