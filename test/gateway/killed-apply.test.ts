/**
 * The process with the policy object is killed at each write of an apply in turn: before the store has
 * kept it, and before anybody has heard that it did.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BrokenStore, brokenKv, type WriteFault } from '../support/broken-store.ts'
import { send } from '../support/client.ts'
import { gatewayOf, type TestGateway } from '../support/gateway.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { headerPolicy, upstreamAndRoute } from '../support/policy.ts'
import { startWorkerd, type Workerd } from '../support/workerd.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-killed-'))
let kv: BrokenStore
let origin: Origin
let workerd: Workerd
let gateway: TestGateway

async function start(): Promise<void> {
  workerd = await startWorkerd({ folder, kvAt: kv.address })
  gateway = gatewayOf(workerd, origin)
}

beforeAll(async () => {
  kv = await brokenKv()
  origin = await startOrigin((exchange) => exchange.reply(200, [], 'ok'))
  await start()
})
afterAll(async () => {
  await gateway.stop()
  await kv.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A policy whose plugin says so in every response. */
const marked = (mark: string): object[] => [
  ...upstreamAndRoute(origin.url),
  headerPolicy('1.0.0', { response: { set: { 'x-mark': mark } } }),
]
const mark = async (): Promise<string | undefined> =>
  (await send(`${gateway.url}/`)).header('x-mark')

/** What an operator does: plan, then apply from there. */
async function apply(resources: readonly object[]): Promise<number> {
  const plan = await gateway.apply({ resources, dryRun: true })
  if (plan.result.result !== 'planned') throw new Error(JSON.stringify(plan.result))
  const { result } = await gateway.apply({ resources, base: plan.result.base })
  if (result.result !== 'applied') throw new Error(JSON.stringify(result))
  await gateway.admin('/-/refresh', { method: 'POST' })
  return result.revision
}

/** Applies until the `index`-th write, at which everything ends. @returns the key that was written */
async function killedAt(index: number, fault: WriteFault, mark: string): Promise<string> {
  let writes = 0
  const reached = new Promise<string>((resolve) => {
    kv.writeFault = (key) => {
      writes += 1
      if (writes <= index) return 'sound'
      resolve(key)
      return fault
    }
  })
  const plan = await gateway.apply({ resources: marked(mark), dryRun: true })
  const base = plan.result.result === 'planned' ? plan.result.base : -1
  const applied = gateway.apply({ resources: marked(mark), base }).catch(() => undefined)
  const key = await reached
  await workerd.stop('SIGKILL')
  await applied
  kv.writeFault = () => 'sound'
  return key
}

const WRITES = [/^snapshot\./, /^resources\./, /^revision\./, /^active$/]

describe.each([
  ['is lost', 'lost'],
  ['is kept and nobody hears of it', 'unheard'],
] as const)('a crash in which a write %s', (_what, fault) => {
  it.each([0, 1, 2, 3])(
    'as number %i leaves a whole revision running, and the next apply works',
    async (index) => {
      const before = `before-${fault}-${index}`
      const lost = `lost-${fault}-${index}`
      const after = `after-${fault}-${index}`
      const first = await apply(marked(before))
      expect(await mark()).toBe(before)

      expect(await killedAt(index, fault, lost)).toMatch(WRITES[index] ?? /never/)
      await start()
      // the pointer is the last of them: until it is kept, what ran before runs
      const running = index === 3 && fault === 'unheard' ? lost : before
      expect(await mark()).toBe(running)

      const revision = await apply(marked(after))
      // once the pointer is on its way the change is decided, so the next one comes after it
      expect(revision).toBe(index < 3 ? first + 1 : first + 2)
      expect(await mark()).toBe(after)
      const { revisions } = (await (await gateway.admin('/-/history')).json()) as {
        revisions: { revision: number }[]
      }
      const numbers = revisions.map((one) => one.revision)
      expect(numbers).toEqual(numbers.map((_, at) => revision - at))
    },
  )
})

it('publishes by itself what was decided before a crash', async () => {
  await apply(marked('before-alarm'))
  const active = kv.values.get('active')
  await killedAt(3, 'lost', 'by-alarm')
  expect(kv.values.get('active')).toEqual(active)
  await start()
  // an object of which nobody asks anything is called by its alarm, ten seconds after it decided
  const published = (): boolean => kv.values.get('active') !== active
  while (!published()) await new Promise((resolve) => setTimeout(resolve, 100))
  await gateway.admin('/-/refresh', { method: 'POST' })
  expect(await mark()).toBe('by-alarm')
})
