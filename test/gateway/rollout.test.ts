/** Rollouts in the built Worker: who gets the candidate, what is counted, what an operator does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pluginVersion } from '../../src/config/plugin-version.ts'
import { type CommandResult, commandLine } from '../support/command-line.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type KvFiles, kvFiles } from '../support/kv-files.ts'
import { headerProbe, pluginPolicy, upstreamAndRoute } from '../support/policy.ts'
import { rolloutResource } from '../support/rollout-policy.ts'
import { ADMIN_TOKEN } from '../support/workerd.ts'

const PLUGIN = 'default.mark'
const ROLLOUT = 'default.next'

let gateway: TestGateway
let kv: KvFiles
beforeAll(async () => {
  gateway = await startGateway({
    vars: { NODE_LABELS: 'ring=1', REFRESH_SECONDS: '0.2', REPORT_SECONDS: '0.2' },
  })
  kv = kvFiles(gateway.kv)
})
afterAll(() => gateway.stop())

const marking = (value: string): object =>
  headerProbe('mark', { response_headers: [{ call: 'set_header', name: 'x-mark', value }] })

function rollout(spec: object = {}, candidate: object = marking('new')): object {
  const { pluginConfig } = (candidate as { spec: { pluginConfig: object } }).spec
  return rolloutResource('mark', pluginConfig, spec)
}

function apply(spec: object = {}, ...more: object[]): Promise<number> {
  return gateway.policy(upstreamAndRoute(gateway.origin.url), marking('old'), rollout(spec), more)
}

async function mark(
  user: string | undefined,
  path = '/',
  url = gateway.url,
): Promise<string | null> {
  const headers = user === undefined ? {} : { 'x-user': user }
  const response = await fetch(`${url}${path}`, { headers })
  await response.arrayBuffer()
  return response.headers.get('x-mark')
}

let version = 1_000

function standing(): number {
  try {
    return (JSON.parse(kv.read('rollouts')) as { version: number }).version
  } catch {
    return 0
  }
}

/** Says what the rollout object would say: from now on this weight. */
async function weigh(weight: number, more: object = {}, kills: object[] = []): Promise<void> {
  const { snapshot } = JSON.parse(kv.read('active')) as { snapshot: string }
  const { rollouts } = JSON.parse(kv.read(`snapshot.${snapshot}`)) as {
    rollouts: { candidate: { module: string; configuration: string } }[]
  }
  const [{ candidate } = { candidate: { module: '', configuration: '' } }] = rollouts
  const state = {
    run: 1,
    candidate: await pluginVersion(candidate),
    phase: 'running',
    reason: 'by hand',
    moves: [{ effectiveAt: Date.now() - 1000, weight }],
    ...more,
  }
  // what the rollout object has published meanwhile is newer than anything before it
  version = Math.max(version, standing()) + 1
  kv.put('rollouts', JSON.stringify({ version, rollouts: { [ROLLOUT]: state }, kills }))
}

const USERS = Array.from({ length: 60 }, (_, index) => `user-${index}`)

/** Who gets the candidate, in the isolates of both addresses. */
async function taken(): Promise<Set<string>> {
  const given = new Set<string>()
  for (const user of USERS) if ((await mark(user)) === 'new') given.add(user)
  return given
}

const untilTaken = (count: (taken: number) => boolean): Promise<void> =>
  expect
    .poll(async () => count((await taken()).size), { timeout: 15_000, interval: 200 })
    .toBe(true)

async function postern(...args: string[]): Promise<CommandResult> {
  const line = await commandLine({}, { fetch })
  return line.postern('rollout', ...args, '--gateway', gateway.url, '--token', ADMIN_TOKEN)
}

describe('a candidate', () => {
  it('gets no request before its rollout is started', async () => {
    await apply()
    expect(await taken()).toEqual(new Set())
  })

  it('gets those keys that the weight says, more of them as it grows, and each of them again', async () => {
    await apply()
    await weigh(30)
    await untilTaken((count) => count > 0)
    const first = await taken()
    expect(first.size).toBeLessThan(USERS.length)
    expect(await taken()).toEqual(first)
    await weigh(80)
    await untilTaken((count) => count > first.size)
    const more = await taken()
    expect([...first].filter((user) => !more.has(user))).toEqual([])
    await weigh(100)
    await untilTaken((count) => count === USERS.length)
    expect(await mark(undefined)).toBe('new')
    await weigh(0)
    await untilTaken((count) => count === 0)
  })

  it('gives every isolate the same sides', async () => {
    await apply()
    await weigh(50)
    await untilTaken((count) => count > 0)
    await mark('warm', '/', gateway.twin)
    await expect
      .poll(
        async () => {
          const here = await Promise.all(USERS.map((user) => mark(user)))
          const there = await Promise.all(USERS.map((user) => mark(user, '/', gateway.twin)))
          return here.join() === there.join()
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBe(true)
  })

  it('keeps out of requests and keys that are not its audience, and takes those that always are', async () => {
    await apply({
      audience: {
        matches: [{ path: { value: '/shop' } }],
        always: ['till-1'],
        never: ['till-2'],
      },
    })
    await weigh(0.001)
    await expect.poll(() => mark('till-1', '/shop/a?b'), { timeout: 10_000 }).toBe('new')
    expect(await mark('till-1', '/shopping')).toBe('old')
    await weigh(100)
    await expect.poll(() => mark('someone', '/shop'), { timeout: 10_000 }).toBe('new')
    expect(await mark('till-2', '/shop')).toBe('old')
    expect(await mark('someone', '/')).toBe('old')
  })

  it('goes to the nodes it is for alone', async () => {
    await apply({ audience: { selector: { matchLabels: { ring: '2' } } } })
    await weigh(100)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await taken()).toEqual(new Set())
    await apply({ audience: { selector: { matchLabels: { ring: '1' } } } })
    await untilTaken((count) => count === USERS.length)
  })

  it('is off where its plugin is killed', async () => {
    await apply()
    await weigh(100)
    await untilTaken((count) => count === USERS.length)
    await weigh(100, {}, [{ plugin: PLUGIN, selector: { ring: '2' } }])
    await weigh(100, {}, [{ plugin: PLUGIN, selector: { ring: '1' } }])
    await untilTaken((count) => count === 0)
  })

  it('has no weight that was meant for another one', async () => {
    await apply()
    await weigh(100, { candidate: await pluginVersion({ module: 'x', configuration: '' }) })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await taken()).toEqual(new Set())
  })

  it('goes on as it was while nobody can read how it goes', async () => {
    await apply()
    await weigh(100)
    await untilTaken((count) => count === USERS.length)
    for (const broken of [
      '{',
      '[]',
      '{"version":99999,"rollouts":{"default.next":{}},"kills":[]}',
    ]) {
      kv.put('rollouts', broken)
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect((await taken()).size).toBe(USERS.length)
    }
  })

  it('that does not start is refused, and leaves its requests to the stable version', async () => {
    const refusing = headerProbe('mark', { configure: [{ call: 'return_false' }] })
    const resources = [
      ...upstreamAndRoute(gateway.origin.url),
      marking('old'),
      rollout({}, refusing),
    ]
    const refused = await gateway.apply({ base: 0, dryRun: true, prune: true, resources })
    expect(refused.status).toBe(422)
    expect(JSON.stringify(refused.result)).toContain('default.mark (candidate)')
    // nor does one that comes another way, and starts nowhere
    const named = await kv.compile(resources)
    kv.putSnapshot(named)
    const { revision } = JSON.parse(kv.read('active')) as { revision: number }
    kv.point(revision + 1, named.hash)
    await weigh(100)
    await gateway.until('the new revision', (status) => status.revision === revision + 1)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await mark('someone')).toBe('old')
    const { refusals } = await gateway.status()
    expect(refusals.map(({ plugin }) => plugin)).toContain('default.mark (candidate)')
  })
})

describe('what is counted', () => {
  it('is told for each side', async () => {
    await apply()
    await weigh(50, { run: 7 })
    await untilTaken((count) => count > 0)
    await expect
      .poll(async () => (await gateway.admin('/-/metrics')).text(), { timeout: 10_000 })
      .toMatch(
        /postern_rollout_requests_total\{mode="enforce",rollout="default.next",run="7",side="candidate"\} [1-9]/,
      )
  })
})

describe('an operator', () => {
  it('starts, sees, pauses, resumes and aborts a rollout, and reads its history', async () => {
    await apply()
    const started = await postern('start', 'next', '--by', 'ada')
    expect(started).toMatchObject({ exitCode: 0 })
    expect(started.stdout).toMatch(/default\.next +running/)
    await expect
      .poll(async () => (await postern('status', 'next')).stdout, { timeout: 15_000 })
      .toMatch(/0 %, 50 % in \d+ s +step 1 of 1/)
    const published = JSON.parse(kv.read('rollouts')) as {
      rollouts: Record<string, { moves: { effectiveAt: number }[] }>
    }
    const [move] = published.rollouts[ROLLOUT]?.moves ?? []
    expect(move?.effectiveAt).toBeGreaterThan(Date.now() + 60_000)
    expect((await postern('pause', 'next', '--by', 'ada')).stdout).toMatch(/paused/)
    expect((await postern('resume', 'next', '--by', 'ada')).stdout).toMatch(/running/)
    expect((await postern('abort', 'next', '--by', 'ada')).stdout).toMatch(/rolled-back/)
    expect(await postern('status', 'next')).toMatchObject({ exitCode: 3 })
    const { stdout } = await postern('history', 'next', '--json')
    const { history } = JSON.parse(stdout) as { history: { reason: string }[] }
    expect(history.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining([
        'started by ada',
        'paused by ada',
        'resumed by ada',
        'aborted by ada',
      ]),
    )
  })

  it('is told what cannot be done', async () => {
    await apply()
    expect((await postern('start', 'nothing')).stderr).toMatch(/rollout\.not_applied/)
    expect((await postern('resume', 'next')).stderr).toMatch(/rollout\.wrong_phase/)
    expect(await postern('jump', 'next')).toMatchObject({ exitCode: 2 })
    expect(await postern('start')).toMatchObject({ exitCode: 2 })
  })

  it('kills a candidate on some nodes, and takes that back', async () => {
    expect((await postern('kill', 'mark', '--selector', 'ring=1')).stdout).toMatch(
      /The candidate of default\.mark is off on nodes with ring=1\./,
    )
    expect((await postern('unkill', 'mark', '--selector', 'ring=1')).stdout).not.toMatch(/is off/)
  })

  it('is told when what is to be killed is no plugin, or is not killed', async () => {
    await apply()
    const typo = await postern('kill', 'makr')
    expect(typo).toMatchObject({ exitCode: 1, stdout: '' })
    expect(typo.stderr).toMatch(/there is no plugin default\.makr \[rollout\.unknown_plugin\]/)
    expect((await postern('kill', 'next')).stderr).toMatch(/a rollout of default\.mark, and a kill/)
    expect((await postern('unkill', 'mark')).stderr).toMatch(/\[rollout\.not_killed\]/)
  })

  it('takes back what somebody has written to the key by hand', async () => {
    await apply()
    await postern('start', 'next')
    await weigh(100)
    await expect.poll(() => mark('someone'), { timeout: 10_000 }).toBe('new')
    await postern('abort', 'next')
    await expect.poll(() => mark('someone'), { timeout: 10_000 }).toBe('old')
  })

  it('needs a token, and has to say what is to be done', async () => {
    const body = JSON.stringify({ rollout: ROLLOUT, action: 'start' })
    const headers = { authorization: 'Bearer wrong' }
    const response = await fetch(`${gateway.url}/-/rollouts`, { method: 'POST', headers, body })
    expect(response.status).toBe(401)
    const bad = await gateway.admin('/-/rollouts', { method: 'POST', body: '{"action":"jump"}' })
    expect(bad.status).toBe(400)
  })

  it('cannot apply a rollout of what is not there, nor a mode that nothing does', async () => {
    const origin = upstreamAndRoute(gateway.origin.url)
    const dangling = await gateway.apply({
      base: 0,
      dryRun: true,
      prune: true,
      resources: [...origin, rollout()],
    })
    expect(JSON.stringify(dangling.result)).toMatch(/config\.dangling_reference/)
    const jumping = await gateway.apply({
      base: 0,
      dryRun: true,
      prune: true,
      resources: [...origin, marking('old'), rollout({ mode: 'jump' })],
    })
    expect(JSON.stringify(jumping.result)).toMatch(/config\.invalid/)
  })
})

describe('a policy on a plugin with a rollout', () => {
  it('is for its candidate, too', async () => {
    const open = marking('old') as { spec: object }
    const failing = { ...open, spec: { ...open.spec, failStrategy: 'FAIL_OPEN' } }
    const trapping = headerProbe('mark', { request_headers: [{ call: 'trap' }] })
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      failing,
      pluginPolicy('mark', {}),
      rollout({}, trapping),
    )
    await weigh(100)
    // without the mark of the stable version: the candidate runs, traps, and is left out
    await expect.poll(() => mark('someone'), { timeout: 10_000 }).toBe(null)
  })
})
