/** Outages that last longer than a pointer may be old, under load, in two isolates. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BrokenStore, brokenKv, type Fault } from '../../support/broken-store.ts'
import { send } from '../../support/client.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { kvFiles } from '../../support/kv-files.ts'
import { underLoad } from './load.ts'
import { ask } from './play-state.ts'
import { type Compile, World } from './world.ts'

/** REFRESH_SECONDS is 1 here and MAX_STALE_SECONDS 2: both are over well before this. */
const OUTAGE_MS = 5_000

let kv: BrokenStore
let gateway: TestGateway
let compile: Compile
let revision = 100
beforeAll(async () => {
  kv = await brokenKv()
  gateway = await startGateway({ kvAt: kv.address })
  compile = kvFiles(gateway.kv).compile
})
afterAll(async () => {
  await gateway.stop()
  await kv.stop()
})

const seeded = (seed: number) => (): number => {
  // a small generator, so that a run that fails can be played again
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return seed / 2_147_483_648
}
const FAULTS: readonly Fault[] = ['sound', 'error', 'cut', 'silent', 'refused', 50, 400]

const OUTAGES: readonly (readonly [string, (random: () => number) => Fault])[] = [
  ['says nothing', () => 'silent'],
  ['answers with errors', () => 'error'],
  ['is not there', () => 'refused'],
  [
    'does something else each time',
    (random) => FAULTS[Math.floor(random() * FAULTS.length)] ?? 'sound',
  ],
]

describe('while the store', () => {
  it.each(OUTAGES)(
    '%s for seconds, no request fails; then the news is there',
    async (_what, fault) => {
      const world = await World.make(kv, compile, (revision += 10), gateway.origin.url)
      const isolates = [gateway.url, gateway.twin]
      for (const url of isolates) await ask(url, '/-/refresh', 'POST')
      const random = seeded(revision)
      const played = await Promise.all(
        isolates.map((url) =>
          underLoad(url, async () => {
            kv.fault = () => fault(random)
            await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS))
          }),
        ),
      )
      for (const { failed, marks, requests } of played) {
        expect(failed).toEqual([])
        expect([...marks]).toEqual(['good'])
        expect(requests).toBeGreaterThan(20)
      }
      kv.fault = () => 'sound'
      world.pointNext()
      for (const url of isolates) {
        const mark = async (): Promise<string | undefined> =>
          (await send(`${url}/`)).header('x-mark')
        await expect.poll(mark, { timeout: 15_000 }).toBe('next')
        expect((await ask(url, '/-/status')).revision).toBe(world.revision + 1)
      }
    },
  )
})
