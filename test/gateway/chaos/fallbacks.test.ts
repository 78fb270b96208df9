/** What an isolate runs that starts while its store cannot be had: the copy, then the baseline, then nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GatewayStatus } from '../../../src/gateway/index.ts'
import { type BrokenStore, brokenCache, brokenKv, type Fault } from '../../support/broken-store.ts'
import { send } from '../../support/client.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { kvFiles } from '../../support/kv-files.ts'
import { upstreamAndRoute } from '../../support/policy.ts'
import { ADMIN_TOKEN } from '../../support/workerd.ts'
import { type Compile, marking, NOWHERE, World } from './world.ts'

let kv: BrokenStore
let cache: BrokenStore
let gateway: TestGateway
let compile: Compile
let isolates: string[]

const allDown = (): Fault => 'error'

beforeAll(async () => {
  kv = await brokenKv()
  cache = await brokenCache()
})
afterAll(async () => {
  await kv.stop()
  await cache.stop()
})

/** @param vars - BASELINE, for one */
async function start(vars: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
  const folder = await startGateway()
  compile = kvFiles(folder.kv).compile
  await folder.stop()
  // nothing answers there: the baseline must show by its mark before a request goes on
  const documents = [...upstreamAndRoute('http://127.0.0.1:9'), marking('mark', 'baseline')]
  const { hash, text } = await compile(documents)
  gateway = await startGateway({
    kvAt: kv.address,
    cacheAt: cache.address,
    coldIsolates: 7,
    baseline: { hash, text },
    vars,
  })
  isolates = [...gateway.cold]
  return gateway
}

const cold = (): string => isolates.shift() ?? ''

async function statusOf(url: string): Promise<GatewayStatus> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  return (await (await fetch(`${url}/-/status`, { headers })).json()) as GatewayStatus
}

/** An isolate that has activated a revision, so that there is a copy. */
async function copied(revision: number): Promise<World> {
  const world = await World.make(kv, compile, revision, gateway.origin.url)
  await gateway.admin('/-/refresh', { method: 'POST' })
  const kept = (): string => [...cache.values.values()].join()
  await expect.poll(kept).toContain(`"revision":${revision},`)
  return world
}

describe('with a copy and a baseline', () => {
  beforeAll(() => start())
  afterAll(() => gateway.stop())

  it('the copy runs while KV is down, under its revision', async () => {
    const world = await copied(10)
    kv.fault = allDown
    const url = cold()
    expect((await send(`${url}/`)).header('x-mark')).toBe('good')
    expect(await statusOf(url)).toMatchObject({
      origin: 'copy',
      revision: 10,
      snapshot: world.good.hash,
    })
  })

  it('the copy runs when the pointer is broken, and what comes after it when that is right again', async () => {
    const world = await copied(20)
    kv.values.set('active', '{')
    const url = cold()
    expect((await send(`${url}/`)).header('x-mark')).toBe('good')
    world.pointNext()
    await expect
      .poll(async () => (await send(`${url}/`)).header('x-mark'), { timeout: 10_000 })
      .toBe('next')
    expect(await statusOf(url)).toMatchObject({ origin: 'active', revision: 21 })
  })

  it('the copy runs while KV says nothing at all, and the next revision when it speaks again', async () => {
    const world = await copied(25)
    kv.fault = () => 'silent'
    const url = cold()
    expect((await send(`${url}/`)).header('x-mark')).toBe('good')
    expect(await statusOf(url)).toMatchObject({ origin: 'copy', revision: 25 })
    kv.fault = () => 'sound'
    world.pointNext()
    await expect
      .poll(async () => (await send(`${url}/`)).header('x-mark'), { timeout: 15_000 })
      .toBe('next')
  })

  it('the snapshot before comes first', async () => {
    const world = await copied(30)
    const old = await compile(
      [...upstreamAndRoute(gateway.origin.url), marking('mark', 'before')],
      undefined,
    )
    kv.values.set(`snapshot.${old.hash}`, old.text)
    world.point(NOWHERE, { previous: old.hash })
    const url = cold()
    expect((await send(`${url}/`)).header('x-mark')).toBe('before')
    expect(await statusOf(url)).toMatchObject({ origin: 'previous' })
  })

  it('a copy that was changed is refused, and the baseline runs', async () => {
    await copied(40)
    for (const [key, value] of cache.values) {
      const text = value.toString('latin1').replace('good', 'evil')
      cache.values.set(key, Buffer.from(text, 'latin1'))
    }
    kv.fault = allDown
    const url = cold()
    // its upstream does not answer, but its chain has run
    expect((await send(`${url}/`)).header('x-mark')).toBe('baseline')
    const { origin, refusals } = await statusOf(url)
    expect(origin).toBe('baseline')
    expect(refusals.map(({ code }) => code)).toContain('config.snapshot_hash')
  })

  it('the baseline runs when there is neither store nor copy', async () => {
    kv.heal()
    cache.heal()
    kv.fault = allDown
    cache.fault = allDown
    const url = cold()
    expect((await send(`${url}/`)).header('x-mark')).toBe('baseline')
  })

  it('a cache that never answers costs a second, and no more', async () => {
    cache.fault = () => 'silent'
    const url = cold()
    expect((await send(`${url}/`)).header('x-mark')).toBe('baseline')
    cache.heal()
  })
})

describe('with BASELINE=refuse', () => {
  beforeAll(() => start({ BASELINE: 'refuse' }))
  afterAll(() => gateway.stop())

  it('the baseline is not served', async () => {
    kv.heal()
    cache.heal()
    kv.fault = allDown
    const reply = await send(`${cold()}/`)
    expect([reply.status, reply.json()]).toMatchObject([503, { error: { code: 'config.none' } }])
  })
})
