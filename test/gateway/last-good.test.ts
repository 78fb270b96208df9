/** One plugin that does not start: what runs in its place, for how long, and what an operator hears of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NamedSnapshot } from '../../src/config/compile.ts'
import type { Snapshot } from '../../src/config/snapshot.ts'
import type { GatewayStatus } from '../../src/gateway/index.ts'
import { send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type KvFiles, kvFiles } from '../support/kv-files.ts'
import {
  headerProbe,
  pluginPolicy,
  route,
  upstream,
  upstreamAndRoute,
  wasmPlugin,
} from '../support/policy.ts'
import { underLoad } from './chaos/load.ts'
import { ask } from './chaos/play-state.ts'

let gateway: TestGateway
let kv: KvFiles
let isolates: string[]
let revision = 100
beforeAll(async () => {
  gateway = await startGateway({ coldIsolates: 4 })
  kv = kvFiles(gateway.kv)
  isolates = [...gateway.cold]
})
afterAll(() => gateway.stop())

const cold = (): string => isolates.shift() ?? ''

/** A plugin that marks responses; it may refuse its configuration. */
const marking = (mark: string, steps: object = {}, name = 'mark'): object =>
  headerProbe(name, {
    response_headers: [{ call: 'set_header', name: `x-${name}`, value: mark }],
    ...steps,
  })
const REFUSES = {
  configure: [{ call: 'log', level: 4, message: 'I do not like this' }, { call: 'return_false' }],
}

/** Publishes by hand, as the next revision: nothing is tried before. */
async function publish(plugins: readonly object[], previous?: Snapshot): Promise<NamedSnapshot> {
  const documents = [...upstreamAndRoute(gateway.origin.url), ...plugins]
  const named = await kv.compile(documents, previous)
  kv.putSnapshot(named)
  kv.point((revision += 1), named.hash)
  await gateway.admin('/-/refresh', { method: 'POST' })
  return named
}

const mark = async (url: string = gateway.url, name = 'mark'): Promise<string | undefined> =>
  (await send(`${url}/`)).header(`x-${name}`)

describe('several bad revisions in a row', () => {
  it('leave the good one running, here and in an isolate that starts', async () => {
    let { snapshot } = await publish([marking('good')])
    expect(await mark()).toBe('good')
    for (const bad of ['bad-1', 'bad-2', 'bad-3']) {
      ;({ snapshot } = await publish([marking(bad, REFUSES)], snapshot))
      expect(await mark()).toBe('good')
      const { revision: runs, plugins, refusals } = await gateway.status()
      expect(runs).toBe(revision)
      expect(plugins).toMatchObject([{ id: 'default.mark', vm: 'last-good' }])
      expect(refusals.at(0)).toMatchObject({ plugin: 'default.mark', revision })
    }
    expect(await mark(cold())).toBe('good')
    await publish([marking('better')], snapshot)
    expect(await mark()).toBe('better')
    expect((await gateway.status()).plugins).toMatchObject([{ vm: 'running' }])
  })

  it('leave it running in an isolate that had it only in place of another one', async () => {
    const good = await publish([marking('good')])
    const bad = await publish([marking('bad-1', REFUSES)], good.snapshot)
    const url = cold()
    expect(await mark(url)).toBe('good')
    await publish([marking('bad-2', REFUSES)], bad.snapshot)
    await ask(url, '/-/refresh', 'POST')
    expect(await mark(url)).toBe('good')
    expect((await ask(url, '/-/status')).plugins).toMatchObject([{ vm: 'last-good' }])
  })
})

describe('a version that differs only in its environment', () => {
  it('is shown as not running when it does not start', async () => {
    const PROBE = JSON.stringify({ steps: { vm_start: [{ call: 'return_false' }] } })
    const response_headers = [{ call: 'set_header', name: 'x-mark', value: 'same' }]
    const good = await publish([headerProbe('mark', { response_headers })])
    expect(await mark()).toBe('same')
    await publish(
      [
        headerProbe(
          'mark',
          { response_headers },
          { vmConfig: { env: [{ name: 'PROBE', value: PROBE }] } },
        ),
      ],
      good.snapshot,
    )
    expect(await mark()).toBe('same')
    expect((await gateway.status()).plugins).toMatchObject([{ vm: 'last-good' }])
    expect(await mark(cold())).toBe('same')
  })
})

describe('a plugin that no request has needed yet', () => {
  it('is tried by the first one that does, which its last good version serves; then it is reported', async () => {
    const good = await publish([marking('good')])
    await publish([marking('bad', REFUSES)], good.snapshot)
    const url = cold()
    const status = (): Promise<GatewayStatus> => ask(url, '/-/status')
    expect(await status()).toMatchObject({ refusals: [], plugins: [{ vm: 'idle' }] })
    expect(await mark(url)).toBe('good')
    expect(await status()).toMatchObject({
      revision,
      plugins: [{ vm: 'last-good' }],
      refusals: [
        {
          code: 'plugin.configure_refused',
          plugin: 'default.mark',
          revision,
          at: expect.stringMatching(/^\d{4}-/) as string,
          message: expect.stringContaining('I do not like this') as string,
        },
      ],
    })
  })
})

describe('one plugin that does not start', () => {
  it('does not keep routes, upstreams and other plugins from changing, all at once', async () => {
    const good = await publish([marking('good'), marking('1', {}, 'other')])
    await mark()
    const documents = [
      upstream('origin', { url: gateway.origin.url, allowPrivate: true }),
      route('only-b', '/b', 'origin'),
      marking('bad', REFUSES),
      marking('2', {}, 'other'),
    ]
    const named = await kv.compile(documents, good.snapshot)
    kv.putSnapshot(named)
    kv.point((revision += 1), named.hash)
    await gateway.admin('/-/refresh', { method: 'POST' })
    const [a, b] = [await send(`${gateway.url}/a`), await send(`${gateway.url}/b`)]
    expect([a.status, a.header('x-other')]).toEqual([404, '2'])
    expect([b.status, b.header('x-mark'), b.header('x-other')]).toEqual([200, 'good', '2'])
  })
})

describe('a plugin that has started', () => {
  it('is not replaced by the version before when it traps: its fail strategy decides', async () => {
    const traps = {
      request_headers: [{ call: 'trap', kind: 'unreachable', if: { path: '/trap' } }],
    }
    const good = await publish([marking('old')])
    expect(await mark()).toBe('old')
    await publish([marking('new', traps)], good.snapshot)
    expect(await mark()).toBe('new')
    expect((await send(`${gateway.url}/trap`)).status).toBe(503)
    const next = await send(`${gateway.url}/`)
    expect([next.status, next.header('x-mark')]).not.toEqual([200, 'old'])
  })
})

describe('a plugin of an SDK with one root context', () => {
  const test = (variant: string): object =>
    wasmPlugin('ab', 'oci://ghcr.io/postern/ab-cookie:1.0.0', {
      experiment: 'e',
      variants: [{ name: variant, weight: 1 }],
    })
  const refusing = wasmPlugin('ab', 'oci://ghcr.io/postern/ab-cookie:1.0.0', { what: 1 })

  it('is swapped, and refused, without a request noticing', async () => {
    let { snapshot } = await publish([marking('on'), test('a')])
    await mark()
    for (const plugin of [test('b'), refusing, test('c'), refusing, test('a')]) {
      const { failed } = await underLoad(gateway.url, async () => {
        ;({ snapshot } = await publish([marking('on'), plugin], snapshot))
      })
      expect(failed).toEqual([])
    }
    expect((await send(`${gateway.url}/`)).all('set-cookie').join()).toContain('ab_e=a')
  })
})

describe('a plugin that was on trial, and is to enforce', () => {
  const trial = pluginPolicy('mark', { mode: 'log-only' })

  it('does not go on as a trial when it does not start: its failStrategy decides', async () => {
    await publish([marking('trial'), trial])
    expect((await send(gateway.url)).status).toBe(200)
    await publish([marking('trial', REFUSES)])
    expect((await send(gateway.url)).status).toBe(503)
    expect(await gateway.status()).toMatchObject({ plugins: [{ vm: 'failed', mode: 'enforce' }] })
  })

  it('runs its last good version in earnest when it does not start', async () => {
    const { snapshot } = await publish([marking('good'), trial])
    expect(await mark()).toBeUndefined()
    await publish([marking('bad', REFUSES)], snapshot)
    expect(await mark()).toBe('good')
    expect(await gateway.status()).toMatchObject({
      plugins: [{ vm: 'last-good', mode: 'enforce' }],
    })
  })
})
