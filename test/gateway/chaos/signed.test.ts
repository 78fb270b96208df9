/** Where keys are trusted: what may come in, what goes on running, and pointers that come again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SigningKey } from '../../../src/config/signing/sign-pointer.ts'
import {
  newPrivateKey,
  readPrivateKey,
  signPointer,
} from '../../../src/config/signing/sign-pointer.ts'
import { type BrokenStore, brokenKv } from '../../support/broken-store.ts'
import { send } from '../../support/client.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { kvFiles } from '../../support/kv-files.ts'
import { ageAccepted } from '../../support/policy-storage.ts'
import { ask, playCold, playWarm } from './play-state.ts'
import { put, signedStates } from './signed-states.ts'
import { type Compile, World } from './world.ts'

let ours: SigningKey
let theirs: SigningKey
const STATES = signedStates(() => ({ ours, theirs }))

let kv: BrokenStore
let gateway: TestGateway
let compile: Compile
let revision = 1_000
let isolates: string[]

beforeAll(async () => {
  ours = await readPrivateKey(await newPrivateKey())
  theirs = await readPrivateKey(await newPrivateKey())
  kv = await brokenKv()
  gateway = await startGateway({
    kvAt: kv.address,
    coldIsolates: STATES.length + 4,
    vars: { TRUSTED_KEYS: ours.publicKey },
  })
  isolates = [...gateway.cold]
  compile = kvFiles(gateway.kv).compile
})
afterAll(async () => {
  await gateway.stop()
  await kv.stop()
})

/** The good revision is signed. */
async function newWorld(): Promise<World> {
  revision += 10
  const world = await World.make(kv, compile, revision, gateway.origin.url)
  const pointer = world.pointer(world.good.hash, { revision, previous: null })
  put(world, await signPointer(pointer, ours))
  return world
}

const cold = (): string => isolates.shift() ?? ''
const mark = async (url: string): Promise<string | undefined> =>
  (await send(`${url}/`)).header('x-mark')

describe('while a revision runs, a pointer that is', () => {
  it.each(STATES.map((state) => [state.what, state] as const))('%s', async (_what, state) => {
    await playWarm(gateway.url, await newWorld(), state)
  })
})

describe('an isolate that starts with a pointer that is', () => {
  it.each(STATES.map((state) => [state.what, state] as const))('%s', async (_what, state) => {
    await playCold(cold(), await newWorld(), state)
  })
})

describe('a pointer that has expired', () => {
  it('goes on where it runs, and starts again where it was accepted before', async () => {
    const world = await newWorld()
    const expiresAt = new Date(Date.now() + 1_500).toISOString()
    const pointer = { ...world.pointer(world.next.hash), expiresAt }
    put(world, await signPointer(pointer, ours))
    await ask(gateway.url, '/-/refresh', 'POST')
    expect(await mark(gateway.url)).toBe('next')
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    await ask(gateway.url, '/-/refresh', 'POST')
    expect(await mark(gateway.url)).toBe('next')
    // another isolate: it has never seen it, the policy object has
    expect(await mark(cold())).toBe('next')
  })
})

describe('an old pointer that was signed once', () => {
  it('is refused by the isolates that run a later one', async () => {
    const world = await newWorld()
    const old = kv.values.get('active') ?? ''
    put(world, await signPointer(world.pointer(world.next.hash), ours))
    await ask(gateway.url, '/-/refresh', 'POST')
    kv.values.set('active', old)
    const { revision: runs, refusals } = await ask(gateway.url, '/-/refresh', 'POST')
    expect([runs, refusals.at(0)?.code]).toEqual([world.revision + 1, 'config.revision_older'])
    expect(await mark(gateway.url)).toBe('next')
  })

  it('is refused by an isolate that starts, once what was accepted is old enough to be everywhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-replay-'))
    const options = { kvAt: kv.address, folder, vars: { TRUSTED_KEYS: ours.publicKey } }
    try {
      const first = await startGateway(options)
      const world = await newWorld()
      const old = kv.values.get('active') ?? ''
      await ask(first.url, '/-/refresh', 'POST')
      put(world, await signPointer(world.pointer(world.next.hash), ours))
      await ask(first.url, '/-/refresh', 'POST')
      await first.stop()
      expect(ageAccepted(folder, 10 * 60_000)).toEqual([world.revision, world.revision + 1])

      kv.values.set('active', old)
      // it is asked beside the reads: it answers while the snapshot is on its way
      kv.fault = (key) => (key.startsWith('snapshot.') ? 200 : 'sound')
      const second = await startGateway({ ...options, coldIsolates: 1 })
      try {
        const url = second.cold[0] ?? ''
        const reply = await send(`${url}/`)
        expect([reply.status, reply.json()]).toMatchObject([
          503,
          { error: { code: 'config.none' } },
        ])
        const { origin, refusals } = await ask(url, '/-/status')
        expect([origin, refusals.at(0)?.code]).toEqual(['none', 'config.revision_older'])
        put(world, await signPointer(world.pointer(world.next.hash), ours))
        await expect.poll(() => mark(url), { timeout: 5_000 }).toBe('next')
      } finally {
        await second.stop()
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
