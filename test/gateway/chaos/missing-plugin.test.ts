/** A plugin of which no version can run: its fail strategy decides, and no chain goes on as if it were not there. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BrokenStore, brokenKv } from '../../support/broken-store.ts'
import { send } from '../../support/client.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { kvFiles } from '../../support/kv-files.ts'
import { upstreamAndRoute } from '../../support/policy.ts'
import { type Compile, marking, NOWHERE, World } from './world.ts'

let kv: BrokenStore
let gateway: TestGateway
let compile: Compile
beforeAll(async () => {
  kv = await brokenKv()
  gateway = await startGateway({ kvAt: kv.address, coldIsolates: 2 })
  compile = kvFiles(gateway.kv).compile
})
afterAll(async () => {
  await gateway.stop()
  await kv.stop()
})

const STRATEGIES = [
  ['FAIL_CLOSE', 503, undefined, 0],
  ['FAIL_OPEN', 200, 'good', 1],
] as const

/** A guard that was never deployed, before a plugin that runs. */
async function withGuard(failStrategy: string, revision: number, mark = 'good'): Promise<void> {
  const world = await World.make(kv, compile, revision, gateway.origin.url)
  const guard = marking('guard', 'on', {}, { failStrategy, phase: 'AUTHN' })
  const named = await compile([
    ...upstreamAndRoute(gateway.origin.url),
    marking('mark', mark),
    guard,
  ])
  await world.pointAltered(() => {
    const { plugins } = named.snapshot
    const missing = { ...plugins['default.guard'], module: NOWHERE }
    return { ...named.snapshot, plugins: { ...plugins, 'default.guard': missing } }
  })
}

it.each(STRATEGIES)(
  '%s: an isolate that starts answers %d',
  async (failStrategy, status, mark, index) => {
    await withGuard(failStrategy, 10 + index)
    gateway.origin.reset()
    for (let i = 0; i < 3; i++) {
      const reply = await send(`${gateway.cold[index]}/`)
      expect([reply.status, reply.header('x-mark')]).toEqual([status, mark])
    }
    expect(gateway.origin.requests).toHaveLength(status === 200 ? 3 : 0)
  },
)

it('says that nothing runs in its place, with code and reason', async () => {
  await withGuard('FAIL_CLOSE', 20)
  await gateway.admin('/-/refresh', { method: 'POST' })
  const { plugins, refusals } = await gateway.status()
  expect(plugins.find(({ id }) => id === 'default.guard')).toMatchObject({ vm: 'failed' })
  expect(refusals.at(0)).toMatchObject({
    code: 'module.not_bound',
    plugin: 'default.guard',
    revision: 21,
    message: expect.stringMatching(
      /did not start \(.*is bound here.*\); nothing runs in its place/,
    ) as string,
  })
})

it('is said again under the next revision, for it still does not run', async () => {
  await withGuard('FAIL_CLOSE', 30, 'better')
  await gateway.admin('/-/refresh', { method: 'POST' })
  const { refusals } = await gateway.status()
  expect(refusals.at(0)).toMatchObject({ code: 'module.not_bound', revision: 31 })
})
