/** Plays a state against a gateway that runs a revision, and against an isolate that has nothing yet. */
import { expect } from 'vitest'
import type { GatewayStatus } from '../../../src/gateway/index.ts'
import { send } from '../../support/client.ts'
import { ADMIN_TOKEN } from '../../support/workerd.ts'
import { underLoad } from './load.ts'
import type { State } from './state.ts'
import type { World } from './world.ts'

/** One isolate's answer to a call of the admin API. */
export async function ask(url: string, path: string, method = 'GET'): Promise<GatewayStatus> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  return (await (await fetch(`${url}${path}`, { method, headers })).json()) as GatewayStatus
}

/** The state comes over a gateway that runs `world.good`: no request fails, and what shall run runs. */
export async function playWarm(url: string, world: World, state: State): Promise<void> {
  await ask(url, '/-/refresh', 'POST')
  expect((await send(`${url}/`)).header('x-mark')).toBe('good')
  const began = Date.now()

  const { result, requests, failed, marks } = await underLoad(url, async () => {
    await state.arrange(world)
    const now = await ask(url, '/-/refresh', 'POST')
    // a fault that comes and goes: the gateway tries again
    const again = state.warm.live && now.revision === world.revision
    return again ? ask(url, '/-/refresh', 'POST') : now
  })
  const last = await send(`${url}/`)

  expect(failed).toEqual([])
  expect(requests).toBeGreaterThan(5)
  expect([...marks].filter((mark) => mark !== 'good' && mark !== state.warm.serves)).toEqual([])
  expect(last.header('x-mark')).toBe(state.warm.serves)
  if (state.warm.live) {
    expect(result.revision).toBe(world.revision + 1)
    expectMarks(last, state)
  } else {
    expect(result).toMatchObject({ revision: world.revision, snapshot: world.good.hash })
  }
  expect(result.pending !== null).toBe(state.warm.pending ?? false)
  expectCode(await ask(url, '/-/status'), world, began, state.code)
}

/** The state is there when an isolate starts. */
export async function playCold(url: string, world: World, state: State): Promise<void> {
  const began = Date.now()
  await state.arrange(world)
  const first = await send(`${url}/`)
  const status = await ask(url, '/-/status')
  if (state.cold === 'none') {
    expect([first.status, first.json()]).toMatchObject([503, { error: { code: 'config.none' } }])
    expect(status.origin).toBe('none')
  } else {
    expect([first.status, first.header('x-mark')]).toEqual([200, state.cold])
    expectMarks(first, state)
  }
  const { coldCode = state.code } = state
  expectCode(status, world, began, coldCode)
}

function expectMarks(reply: { header(name: string): string | undefined }, state: State): void {
  for (const [name, value] of Object.entries(state.marks ?? {})) {
    expect(reply.header(name)).toBe(value)
  }
}

/** Among the refusals of this world's revisions, or of the store itself since then. */
function expectCode(
  { refusals }: GatewayStatus,
  world: World,
  since: number,
  code: string | null,
): void {
  const seen = refusals
    .filter(({ at }) => Date.parse(at) >= since)
    .filter(({ revision }) => revision === 0 || revision >= world.revision - 1)
    .map((refusal) => refusal.code)
  if (code === null) expect(seen).toEqual([])
  else expect(seen).toContain(code)
}
