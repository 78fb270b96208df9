/**
 * Every state of the store, in real workerd: while a revision runs under load, where no request may
 * fail whatever the store does, and for an isolate that has nothing yet.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BrokenStore, brokenKv } from '../../support/broken-store.ts'
import { send } from '../../support/client.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { kvFiles } from '../../support/kv-files.ts'
import { playCold, playWarm } from './play-state.ts'
import { PLUGIN_STATES } from './plugin-states.ts'
import { POINTER_STATES } from './pointer-states.ts'
import { SNAPSHOT_STATES } from './snapshot-states.ts'
import type { State } from './state.ts'
import { type Compile, World } from './world.ts'

const STATES = [...POINTER_STATES, ...SNAPSHOT_STATES, ...PLUGIN_STATES]
const GROUPS: readonly (readonly [string, readonly State[]])[] = [
  ['the pointer', POINTER_STATES],
  ['a snapshot', SNAPSHOT_STATES],
  ['a plugin', PLUGIN_STATES],
]

let store: BrokenStore
let gateway: TestGateway
let compile: Compile
let revision = 1_000

beforeAll(async () => {
  store = await brokenKv()
  gateway = await startGateway({ kvAt: store.address, coldIsolates: STATES.length })
  compile = kvFiles(gateway.kv).compile
})
afterAll(async () => {
  await gateway.stop()
  await store.stop()
})

async function newWorld(): Promise<World> {
  revision += 10
  return World.make(store, compile, revision, gateway.origin.url)
}

describe.each(GROUPS)('while a revision runs, %s that is', (_group, states) => {
  it.each(states.map((state) => [state.what, state] as const))('%s', async (_what, state) => {
    await playWarm(gateway.url, await newWorld(), state)
  })
})

describe('an isolate that starts with', () => {
  it.each(STATES.map((state, index) => [state.what, state, index] as const))(
    '%s',
    async (_what, state, index) => {
      await playCold(gateway.cold[index] ?? '', await newWorld(), state)
    },
  )

  it('any of them runs what is right as soon as it is there', async () => {
    const world = await newWorld()
    world.pointNext()
    const mark = async (url: string): Promise<string | undefined> =>
      (await send(`${url}/`)).header('x-mark')
    await Promise.all(
      gateway.cold.map((url) => expect.poll(() => mark(url), { timeout: 10_000 }).toBe('next')),
    )
  })
})
