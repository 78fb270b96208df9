/** Promotions in the built Worker: under load, by whom, what undoes them, and what is refused. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CommandResult, commandLine } from '../support/command-line.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { kvFiles } from '../support/kv-files.ts'
import { headerProbe, upstreamAndRoute } from '../support/policy.ts'
import { rolloutResource } from '../support/rollout-policy.ts'
import { ADMIN_TOKEN } from '../support/workerd.ts'

const ROLLOUT = 'default.next'
const USERS = Array.from({ length: 24 }, (_, index) => `user-${index}`)

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway({
    vars: { REFRESH_SECONDS: '0.2', REPORT_SECONDS: '0.2', RISE_LEAD_SECONDS: '0' },
  })
})
afterAll(() => gateway.stop())

const marking = (value: string): { readonly spec: { readonly pluginConfig: object } } =>
  headerProbe('mark', {
    response_headers: [{ call: 'set_header', name: 'x-mark', value }],
  }) as never

const rollout = (steps: object[], more: object = {}): object =>
  rolloutResource('mark', marking('new').spec.pluginConfig, { steps, ...more })

/** The files that an operator has. */
function files(steps: object[], more: object = {}): Readonly<Record<string, string>> {
  const policy = [
    ...upstreamAndRoute(gateway.origin.url),
    marking('old'),
    rollout(steps, more),
  ].map((one) => JSON.stringify(one))
  return { 'policy.yaml': policy.join('\n---\n') }
}

const HALF = [{ weight: 50, pause: '1h' }]
const WHOLE = [{ weight: 100, pause: '0s' }]

let run: (...args: string[]) => Promise<CommandResult>
async function begin(steps: object[], more: object = {}): Promise<void> {
  const line = await commandLine(files(steps, more), { fetch, env: { USER: 'ada' } })
  run = (...args) => line.postern(...args, '--gateway', gateway.url, '--token', ADMIN_TOKEN)
  // whatever the test before has promoted
  expect(await run('apply', '-f', '.', '--prune', '--force')).toMatchObject({ exitCode: 0 })
}

async function mark(user: string, url = gateway.url): Promise<string> {
  const response = await fetch(url, { headers: { 'x-user': user } })
  await response.arrayBuffer()
  return response.status === 200 ? (response.headers.get('x-mark') ?? 'none') : `${response.status}`
}

/** Who gets the candidate, at both addresses. */
async function taken(): Promise<ReadonlySet<string>> {
  const given = new Set<string>()
  for (const user of USERS) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if ((await mark(user)) === 'new' && (await mark(user, gateway.twin)) === 'new') given.add(user)
  }
  return given
}

const untilTaken = (count: (taken: number) => boolean): Promise<void> =>
  expect
    .poll(async () => count((await taken()).size), { timeout: 20_000, interval: 100 })
    .toBe(true)

interface State {
  readonly phase: string
  readonly reason: string
  readonly run: number
}

async function state(): Promise<State | undefined> {
  const answer = await (await gateway.admin('/-/rollouts')).json()
  return (answer as { rollouts: Record<string, State> }).rollouts[ROLLOUT]
}

const untilPhase = (phase: string): Promise<void> =>
  expect.poll(async () => (await state())?.phase, { timeout: 20_000, interval: 100 }).toBe(phase)

async function aborted(): Promise<void> {
  if ((await state())?.phase === 'running') await run('rollout', 'abort', 'next')
}

describe('a promotion', () => {
  beforeEach(aborted)

  it('under load fails no request, and takes the candidate from nobody who has it', async () => {
    await begin(HALF)
    expect(await run('rollout', 'start', 'next')).toMatchObject({ exitCode: 0 })
    await untilTaken((count) => count > 0)
    const had = await taken()
    expect(had.size).toBeLessThan(USERS.length)

    const seen: string[] = []
    let isOver = false
    const load = [gateway.url, gateway.twin].map(async (url) => {
      while (!isOver) {
        for (const user of USERS) {
          // oxlint-disable-next-line no-await-in-loop -- each of them goes on for as long as it takes
          seen.push(`${had.has(user) ? 'had it' : 'had not'}: ${await mark(user, url)}`)
        }
      }
    })
    const { stdout } = await run('rollout', 'status', 'next')
    expect(stdout).toMatch(/default\.next run \d+, of plugin default\.mark\n/)
    expect(stdout).toMatch(/^> +1 +enforce +50 % +all +now$/m)
    expect(stdout).toMatch(/Waits for the pause of step 1, until /)
    const refused = await run('rollout', 'promote', 'next')
    expect(refused).toMatchObject({ exitCode: 1 })
    expect(refused.stderr).toMatch(/running, 1 of 1 steps begun: its candidate has 50 % of all/)
    expect(refused.stderr).toMatch(/rollout\.not_complete/)
    const promoted = await run('rollout', 'promote', 'next', '--force', '--why', 'it is good')
    expect(promoted.stderr).toMatch(
      /warning: .*50 % of all requests.*all requests of the plugin at/,
    )
    expect(promoted).toMatchObject({ exitCode: 0 })
    await untilPhase('promoted')
    await untilTaken((count) => count === USERS.length)
    isOver = true
    await Promise.all(load)
    expect(new Set(seen)).toEqual(new Set(['had it: new', 'had not: old', 'had not: new']))

    const history = await run('history', '--json')
    const { revisions } = JSON.parse(history.stdout) as { revisions: { by: string; why: string }[] }
    const { run: number } = (await state()) ?? { run: 0 }
    expect(revisions[0]).toMatchObject({
      by: 'ada',
      why: `promoted ${ROLLOUT} run ${number}: it is good`,
    })
  })

  it('of what is complete needs no force, shows what it changes, and is done once', async () => {
    await begin(WHOLE)
    await run('rollout', 'start', 'next')
    await untilPhase('complete')
    expect((await run('rollout', 'start', 'next')).stderr).toMatch(
      /is complete: promote it, or abort it to start again \[rollout\.wrong_phase\]/,
    )
    const plan = await run('rollout', 'promote', 'next', '--dry-run')
    expect(plan.stdout).toMatch(
      /~ plugin default\.mark\n +configuration.*\n- rollout default\.next/,
    )
    expect(plan.stdout).toMatch(/Nothing was written/)
    expect((await state())?.phase).toBe('complete')

    const done = await run('rollout', 'promote', 'next', '--wait', '--json')
    expect(JSON.parse(done.stdout)).toMatchObject({ ok: true, result: 'applied' })
    await untilPhase('promoted')
    expect((await run('rollout', 'promote', 'next')).stderr).toMatch(/rollout\.nothing_to_do/)
    expect((await run('rollout', 'start', 'next')).stderr).toMatch(/rollout\.not_applied/)
    expect(await run('rollout', 'status', 'next')).toMatchObject({ exitCode: 0 })
  })

  it('of what is not there, was never started or has gone back is refused', async () => {
    await begin(HALF)
    expect((await run('rollout', 'promote', 'nothing')).stderr).toMatch(/rollout\.unknown/)
    await run('rollout', 'start', 'next')
    await run('rollout', 'abort', 'next')
    const back = await run('rollout', 'promote', 'next', '--force', '--json')
    expect(back).toMatchObject({ exitCode: 1 })
    expect(JSON.parse(back.stdout)).toMatchObject({ error: { code: 'rollout.wrong_phase' } })
  })

  it('of a shadow that is complete is nothing that anybody has been answered by', async () => {
    await begin(WHOLE, { mode: 'shadow' })
    await run('rollout', 'start', 'next')
    await untilPhase('complete')
    expect((await run('rollout', 'promote', 'next')).stderr).toMatch(
      /runs as shadow, and has answered nobody.*\[rollout\.not_complete\]/s,
    )
    expect(await run('rollout', 'promote', 'next', '--force')).toMatchObject({ exitCode: 0 })
    await untilTaken((count) => count === USERS.length)
    await untilPhase('promoted')
  })
})

describe('what would undo a promotion', () => {
  beforeEach(async () => {
    await aborted()
    await begin(WHOLE)
    await run('rollout', 'start', 'next')
    await untilPhase('complete')
    expect(await run('rollout', 'promote', 'next')).toMatchObject({ exitCode: 0 })
    await untilPhase('promoted')
  })

  it('is refused with the files of before, at the place where they say so', async () => {
    for (const command of [['apply'], ['apply', '--dry-run'], ['diff'], ['apply', '--prune']]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const refused = await run(...command, '-f', 'policy.yaml')
      expect(refused).toMatchObject({ exitCode: 1 })
      expect(refused.stderr).toMatch(
        /policy\.yaml:\d+:\d+: error: spec: default\.mark would be .* again, .*\[rollout\.undoes_promotion\]/,
      )
    }
    expect(await mark('anybody')).toBe('new')
  })

  it('gives everybody the old version when it is forced, and no weight of before counts', async () => {
    const forced = await run('apply', '-f', 'policy.yaml', '--force')
    expect(forced).toMatchObject({ exitCode: 0 })
    expect(forced.stderr).toMatch(/warning: .*\[rollout\.undoes_promotion\]/)
    await untilPhase('rolled-back')
    expect((await state())?.reason).toMatch(/^revision \d+ undoes its promotion$/)
    await untilTaken((count) => count === 0)
    expect(await run('apply', '-f', 'policy.yaml')).toMatchObject({ exitCode: 0 })
  })

  it('may be a rollback, which says so', async () => {
    const back = await run('rollback')
    expect(back).toMatchObject({ exitCode: 0 })
    expect(back.stderr).toMatch(/warning: .*\[rollout\.undoes_promotion\]/)
    await untilTaken((count) => count === 0)
    await untilPhase('rolled-back')
  })
})

describe('a rollout that is started again', () => {
  it('is another run, in which others go first', async () => {
    await aborted()
    await begin(HALF)
    const runs: (readonly [number, ReadonlySet<string>])[] = []
    for (let time = 0; time < 2; time += 1) {
      // oxlint-disable no-await-in-loop -- one run after the other
      await run('rollout', 'start', 'next')
      await untilTaken((count) => count > 0)
      runs.push([(await state())?.run ?? 0, await taken()])
      await run('rollout', 'abort', 'next')
      await untilTaken((count) => count === 0)
      // oxlint-enable no-await-in-loop
    }
    const [[first, had], [second, has]] = runs as [(typeof runs)[0], (typeof runs)[0]]
    expect(second).toBe(first + 1)
    expect([...has].sort()).not.toEqual([...had].sort())
    const { version } = JSON.parse(kvFiles(gateway.kv).read('rollouts')) as { version: number }
    expect(version).toBeGreaterThan(0)
  })
})
