/** What nodes make of one rollout: in blackouts of their own time, and of two rollouts in one chain. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ClockedGateway } from '../../support/clocked-gateway.ts'
import { upstreamAndRoute } from '../../support/policy.ts'
import { ask, askMany } from '../../support/rollout-load.ts'
import { marking, pluginRollout } from '../../support/rollout-policy.ts'
import { LEAD_MS, ROLLOUT, startTrials } from '../../support/rollout-trial.ts'
import type { Workerd } from '../../support/workerd.ts'

const HOUR = 3_600_000
const PATIENCE = { timeout: 10_000, interval: 100 }

let clocked: ClockedGateway
let berlin: Workerd
beforeAll(async () => {
  clocked = await startTrials({ vars: { NODE_LABELS: 'timezone=Asia/Tokyo' } })
  berlin = await clocked.another({ NODE_LABELS: 'timezone=Europe/Berlin' })
})
afterAll(() => clocked.stop())

/** What the clock on a wall there shows. */
function wall(timeZone: string, at: number): string {
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' })
  return time.format(at)
}

const answers = (url: string): Promise<string | null> =>
  ask(url, 'somebody').then(({ answered }) => answered)

it('a weight that falls into a blackout of a node counts there when that is over, elsewhere at once', async () => {
  const now = clocked.now()
  const blackout = [
    { from: wall('Asia/Tokyo', now - HOUR), to: wall('Asia/Tokyo', now + 2 * HOUR) },
  ]
  const rollout = pluginRollout({ steps: [{ weight: 100, pause: '12h' }], blackout })
  await clocked.gateway.policy(upstreamAndRoute(clocked.origin.url), marking(), rollout)
  await clocked.act(ROLLOUT, 'start')
  await clocked.until(ROLLOUT, 'step 0', ({ step }) => step === 0)
  await clocked.advance(LEAD_MS)
  const tokyo = clocked.gateway.url
  await expect.poll(() => answers(berlin.url), PATIENCE).toBe('new')
  expect(await answers(tokyo)).toBe('old')
  await clocked.advance(2 * HOUR)
  await expect.poll(() => answers(tokyo), PATIENCE).toBe('new')
  // back at once, in whichever window that is
  await clocked.advance(22 * HOUR)
  await clocked.act(ROLLOUT, 'abort')
  await expect.poll(() => answers(tokyo), PATIENCE).toBe('old')
  await expect.poll(() => answers(berlin.url), PATIENCE).toBe('old')
})

it('two rollouts in one chain choose by themselves, and one that is aborted leaves the other as it is', async () => {
  const steps = (name: string, value: string): Record<string, object[]> => ({
    request_headers: [{ call: 'set_header', name, value }],
    response_headers: [{ call: 'add_header', name: 'x-answered', value }],
  })
  const rollout = (plugin: string): object =>
    pluginRollout({}, steps(`x-${plugin}`, `${plugin}-new`), { name: plugin, plugin })
  await clocked.gateway.policy(
    upstreamAndRoute(clocked.origin.url),
    marking('', steps('x-one', 'one-old'), 'one'),
    marking('', steps('x-two', 'two-old'), 'two'),
    rollout('one'),
    rollout('two'),
  )
  for (const name of ['one', 'two']) {
    await clocked.act(`default.${name}`, 'start')
    await clocked.until(`default.${name}`, 'step 0', ({ step }) => step === 0)
  }
  await clocked.advance(LEAD_MS)
  const users = Array.from({ length: 80 }, (_, user) => `user-${user}`)
  const { url, twin } = clocked.gateway
  const given = async (): Promise<Map<string, string>> => {
    const told = await askMany(users.length, (n) => [n % 2 ? url : twin, users[n] ?? ''])
    return new Map(told.map(({ user, answered }) => [user, `${answered}`]))
  }
  const kinds = async (): Promise<string[]> => [...new Set((await given()).values())].sort()
  await expect
    .poll(kinds, PATIENCE)
    .toEqual(['two-new, one-new', 'two-new, one-old', 'two-old, one-new', 'two-old, one-old'])
  const before = await given()
  await clocked.act('default.one', 'abort')
  await expect.poll(kinds, PATIENCE).toEqual(['two-new, one-old', 'two-old, one-old'])
  const two = (answers: Map<string, string>): string[] =>
    users.map((user) => `${user} ${answers.get(user)?.split(',', 1)[0]}`)
  expect(two(await given())).toEqual(two(before))
})
