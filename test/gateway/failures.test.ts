/** Plugins that trap or refuse to start: what their failStrategy makes of it, and what it must not harm. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { begin, send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { kvFiles } from '../support/kv-files.ts'
import { headerProbe, probe, upstream, upstreamAndRoute, wasmPlugin } from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())
afterEach(() => gateway.origin.reset())

const TRAP = { call: 'trap', kind: 'unreachable', if: { header: 'x-trap' } }
const PAUSE = { call: 'return', action: 1 }
const trapping = { headers: [['x-trap', '1']] } as const
/** In a vm of its own, before or behind the one that fails. */
const neighbour = (name: string, priority: number) =>
  headerProbe(
    name,
    {
      request_headers: [{ call: 'add_header', name: 'x-order', value: name }],
      response_headers: [{ call: 'add_header', name: 'x-order', value: name }],
    },
    { priority },
  )

const STRATEGIES = [
  ['FAIL_CLOSE', 503],
  ['FAIL_RELOAD', 503],
  ['FAIL_OPEN', 200],
] as const

describe.each(STRATEGIES)('%s', (failStrategy, status) => {
  const open = failStrategy === 'FAIL_OPEN'
  const apply = (name: string, steps: Record<string, unknown[]>) =>
    gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      upstream('authz', { url: gateway.origin.url }),
      neighbour('before', 10),
      probe(`${name}-${failStrategy.toLowerCase().replace('_', '-')}`, steps, { failStrategy }),
      neighbour('behind', -10),
    )

  it.each([
    ['request_headers', 'request-headers'],
    ['request_body', 'request-body'],
    ['response_headers', 'response-headers'],
  ])(`a trap in %s is ${open ? 'skipped' : 'answered with 503'}`, async (callback, name) => {
    await apply(name, { [callback]: [TRAP] })
    const reply = await send(`${gateway.url}/`, { method: 'POST', body: 'abc', ...trapping })
    expect(reply.status).toBe(status)
    if (open) {
      expect(gateway.origin.last.header('x-order')).toBe('before, behind')
      expect((await gateway.origin.last.body()).toString()).toBe('abc')
      expect([reply.text, reply.header('x-order')]).toEqual(['ok', 'behind, before'])
    }
    // the neighbours' vms run on, and nothing of the stream is left in them
    const { plugins } = await gateway.until('settled', ({ vms }) => vms.contexts === 2)
    expect(plugins.map(({ vm }) => vm).toSorted()).toEqual(['failed', 'running', 'running'])
    expect(plugins.find(({ vm }) => vm === 'failed')?.lastError).toMatch(/unreachable/)
  })

  it(`while the stream is paused is ${open ? 'let go' : 'answered with 503'} by the trap of another`, async () => {
    await apply('paused', { request_headers: [TRAP, { ...PAUSE, if: { header: 'x-pause' } }] })
    const paused = send(`${gateway.url}/`, { headers: [['x-pause', '1']] })
    await gateway.until('holding', ({ vms }) => vms.contexts >= 5)
    await send(`${gateway.url}/`, trapping)
    expect((await paused).status).toBe(status)
    await gateway.until('settled', ({ vms }) => vms.contexts === 2)
  })

  it(`in the answer to a callout is ${open ? 'let go' : 'answered with 503'}`, async () => {
    await apply('callout', {
      request_headers: [
        {
          call: 'http_call',
          upstream: 'authz',
          headers: [
            [':method', 'GET'],
            [':path', '/check'],
            [':authority', 'authz'],
          ],
        },
        PAUSE,
      ],
      http_call_response: [{ call: 'trap', kind: 'unreachable' }],
    })
    expect((await send(`${gateway.url}/`)).status).toBe(status)
  })

  it('starts a new vm after its back-off, whatever the strategy', async () => {
    await apply('again', {
      request_headers: [TRAP, { call: 'set_header', name: 'x-ran', value: '1' }],
    })
    await send(`${gateway.url}/`, trapping)
    const during = await send(`${gateway.url}/`)
    expect(during.status).toBe(status)
    await expect
      .poll(
        async () => {
          await send(`${gateway.url}/`)
          return gateway.origin.requests.at(-1)?.header('x-ran')
        },
        { timeout: 5_000, interval: 100 },
      )
      .toBe('1')
  })

  it('of a plugin that refuses its configuration counts from the first request on', async () => {
    // preflight would refuse it, so it comes by hand, and the isolate starts cold
    const folder = mkdtempSync(join(tmpdir(), 'postern-cold-'))
    const kv = kvFiles(join(folder, 'kv'))
    const named = await kv.compile(
      [
        upstreamAndRoute(gateway.origin.url),
        probe('refuses', { configure: [{ call: 'return_false' }] }, { failStrategy }),
        neighbour('behind', -10),
      ].flat(),
    )
    kv.putSnapshot(named)
    kv.point(1, named.hash)
    const cold = await startGateway({ folder })
    try {
      const reply = await send(`${cold.url}/`)
      expect(reply.status).toBe(status)
      if (open) expect(gateway.origin.last.header('x-order')).toBe('behind')
      const { plugins } = await cold.status()
      const refused = plugins.find(({ id }) => id.endsWith('refuses'))
      expect([refused?.vm, refused?.lastError]).toEqual([
        'failed',
        expect.stringContaining('configure'),
      ])
    } finally {
      await cold.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('a trap in the middle of a response', () => {
  it('breaks it off, or lets the rest pass under FAIL_OPEN', async () => {
    for (const [failStrategy] of STRATEGIES) {
      await gateway.policy(
        upstreamAndRoute(gateway.origin.url),
        probe(
          `middle-${failStrategy.toLowerCase().replace('_', '-')}`,
          { response_body: [{ call: 'trap', kind: 'unreachable', if: { nth: 2 } }] },
          { failStrategy },
        ),
      )
      gateway.origin.reset()
      gateway.origin.answer((exchange) => exchange.start(200))
      const client = begin(`${gateway.url}/`)
      client.request.end()
      const response = await client.response
      const exchange = await gateway.origin.request()
      exchange.chunk('first ')
      expect((await response.next())?.toString()).toBe('first ')
      exchange.chunk('second')
      if (failStrategy === 'FAIL_OPEN') {
        expect((await response.next())?.toString()).toBe('second')
        exchange.finish()
        expect(await response.next()).toBeUndefined()
      } else {
        await expect(response.next()).rejects.toThrow()
      }
    }
  })
})

it('a plugin that has trapped leaves another plugin of the same module alone', async () => {
  await gateway.policy(
    upstreamAndRoute(gateway.origin.url),
    headerProbe('one', { request_headers: [TRAP] }, { failStrategy: 'FAIL_OPEN' }),
    headerProbe('two', { request_headers: [{ call: 'set_header', name: 'x-two', value: '1' }] }),
    wasmPlugin('shipped', 'oci://ghcr.io/postern/header-policy:1.0.0', {
      request: { set: { 'x-shipped': '1' } },
    }),
  )
  expect((await send(`${gateway.url}/`, trapping)).status).toBe(200)
  const { last } = gateway.origin
  expect([last.header('x-two'), last.header('x-shipped')]).toEqual(['1', '1'])
})
