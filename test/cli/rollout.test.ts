/** `postern rollout` and its subcommands as they are called; what they do is tried in test/gateway. */
import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli/main.ts'
import { type CommandResult, commandLine } from '../support/command-line.ts'

async function postern(...args: string[]): Promise<CommandResult> {
  return (await commandLine({})).postern('rollout', ...args)
}

describe('postern rollout', () => {
  it('lists its subcommands, each of which has help of its own', async () => {
    const { stdout, exitCode } = await postern('--help')
    expect(exitCode).toBe(0)
    const names = [...stdout.matchAll(/^ {2}([a-z]+) .*[a-z]$/gm)].map(([, name = '']) => name)
    expect(names).toEqual(expect.arrayContaining(['start', 'status', 'history', 'kill', 'unkill']))
    for (const name of names) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const own = await postern(name, '--help')
      expect(own).toMatchObject({ exitCode: 0, stderr: '' })
      expect(own.stdout).toMatch(new RegExp(`^postern rollout ${name} `))
      expect(own.stdout).toMatch(/Exit codes: 0 done/)
    }
  })

  it('says what it is called wrongly with', async () => {
    expect(await postern()).toMatchObject({ exitCode: 2 })
    const jumping = await postern('jump', 'next')
    expect(jumping).toMatchObject({ exitCode: 2 })
    expect(jumping.stderr).toMatch(/no postern rollout jump; there are start, /)
    const nameless = await postern('pause')
    expect(nameless).toMatchObject({ exitCode: 2 })
    expect(nameless.stderr).toMatch(/Name it: postern rollout pause NAME/)
    expect(await postern('start', 'a', 'b')).toMatchObject({ exitCode: 2 })
    expect(await postern('status', '--jump')).toMatchObject({ exitCode: 2 })
    const label = await postern('kill', 'mark', '--selector', 'ring')
    expect(label).toMatchObject({ exitCode: 2 })
    expect(label.stderr).toMatch(/ring is no label such as ring=1/)
  })
})

const START = Date.parse('2026-03-04T08:00:00Z')

/** What a gateway answers of a rollout in its second step, so many seconds in. */
function answer(seconds: number, more: object = {}): object {
  const finding = {
    verdict: 'inconclusive',
    requests: { stable: 900, candidate: 100 },
    metrics: [
      {
        name: 'server-errors',
        verdict: 'inconclusive',
        stable: 0.005,
        candidate: 0.0123456,
        least: -0.01,
        most: null,
        maxIncrease: 0.01,
      },
      {
        name: 'plugin-metric',
        metric: 'cache_misses',
        verdict: 'inconclusive',
        reason: 'nothing has counted it',
        stable: null,
        candidate: null,
        least: null,
        most: null,
        maxIncrease: 2,
      },
    ],
  }
  return {
    rollouts: {
      'default.next': {
        run: 3,
        phase: 'running',
        reason: 'step 2 of 3',
        step: 1,
        moves: [
          { effectiveAt: START, weight: 100, mode: 'shadow' },
          { effectiveAt: START + 60_000, weight: 5 },
        ],
        ...more,
      },
    },
    kills: [{ plugin: 'default.mark', selector: { ring: '2' } }],
    history: [],
    now: START + seconds * 1000,
    riseLeadMs: 60_000,
    views: {
      'default.next': {
        plugin: 'default.mark',
        selector: { country: 'de' },
        steps: [
          { weight: 100, mode: 'shadow' },
          { weight: 5, mode: 'enforce', selector: { store: '042' } },
          { weight: 100, mode: 'enforce' },
        ],
        finding,
        outlook: { waitsFor: 'step 2 to take effect', until: START + 60_000 },
        hasBlackout: true,
      },
    },
  }
}

/** Runs a command against a gateway that answers one after the other, then the last again. */
async function asked(
  answers: object[],
  args: string[],
  screen?: string[],
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  let stdout = ''
  let stderr = ''
  const left = [...answers]
  const next = (): object => (left.length > 1 ? left.shift() : left[0]) ?? {}
  const exitCode = await run(['rollout', ...args, '--token', 't'], {
    cwd: '/',
    env: {},
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    ...(screen && { redraw: (text: string) => void screen.push(text) }),
    fetch: () => Promise.resolve(Response.json(next())),
  })
  return { exitCode, stdout, stderr }
}

// they wait for two seconds and again
describe.concurrent('postern rollout status', () => {
  it('shows the steps, what is compared and what is waited for', async () => {
    const { stdout } = await asked([answer(20)], ['status', 'next'])
    expect(stdout).toBe(`ROLLOUT       PHASE    STEP  WEIGHT                     WHY
default.next  running  2     100 % shadow, 5 % in 40 s  step 2 of 3
The candidate of default.mark is off on nodes with ring=2.

default.next run 3, of plugin default.mark on nodes with country=de
   STEP  MODE     WEIGHT  NODES
   1     shadow   100 %   all        done
>  2     enforce  5 %     store=042  takes effect 2026-03-04T08:01:00Z
   3     enforce  100 %   all
METRIC         STABLE  CANDIDATE  MORE       MAY BE  VERDICT
server-errors  0.5 %   1.23 %     -1 % to ?  +1 %    inconclusive
cache_misses   -       -          ? to ?     +2      inconclusive: nothing has counted it
900 requests and 100 of the candidate: inconclusive.
Waits for step 2 to take effect, until 2026-03-04T08:01:00Z.
Nodes within a window of blackout keep the weight they have.
`)
  })

  const over = answer(90, { phase: 'rolled-back', reason: 'worse in step 2: server-errors' })

  it('looked at for long says something when something has changed, and ends with the rollout', async () => {
    const looks = [answer(20), answer(22), over]
    const watch = ['status', 'next', '--watch']
    const [plain, json] = await Promise.all([
      asked(looks, watch),
      asked(looks, [...watch, '--json']),
    ])
    expect(plain.exitCode).toBe(3)
    expect(plain.stdout.match(/^ROLLOUT /gm)).toHaveLength(2)
    const lines = json.stdout.trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { ok: boolean }).ok)).toEqual([true, true])
  })

  it('on a terminal is drawn in place, each time', async () => {
    const screen: string[] = []
    const { stdout } = await asked([answer(20), answer(22), over], ['status', '--watch'], screen)
    expect(stdout).toBe('')
    expect(screen.map((text) => / in (\d+) s/.exec(text)?.[1])).toEqual(['40', '38', undefined])
  })

  it('says when what runs cannot be known', async () => {
    const { views: _, ...rest } = answer(20) as { views: object }
    const { stdout } = await asked([{ ...rest, unseen: 'KV is down' }], ['status'])
    expect(stdout).toMatch(/Not all can be said now: KV is down/)
  })
})

describe('postern rollout history', () => {
  it('has with what went back what was compared', async () => {
    const { views } = answer(20) as { views: Record<string, { finding: object }> }
    const event = { at: START, rollout: 'default.next', run: 3, step: 1, weight: 0 }
    const events = [
      { ...event, phase: 'running', reason: 'started by ada' },
      { ...event, phase: 'rolled-back', reason: 'worse', finding: views['default.next']?.finding },
    ]
    const { stdout } = await asked([{ ...answer(20), history: events }], ['history'])
    expect(stdout.split('\n').map((line) => line.slice(0, 24))).toEqual(
      [
        'AT                      ',
        '2026-03-04T08:00:00.000Z',
        '2026-03-04T08:00:00.000Z',
        '    METRIC         STABLE  ',
        '    server-errors  0.5 %  ',
        '    cache_misses   -     ',
        '    900 requests and 100 o',
        '',
      ].map((line) => line.slice(0, 24)),
    )
  })
})

describe('a rollout that is applied and was not started', () => {
  const some = {
    ...answer(0),
    rollouts: {},
    views: {},
    kills: [],
    notStarted: ['default.next', 'default.late'],
  }

  it('is shown, alone or among all', async () => {
    const all = await asked([some], ['status'])
    expect(all.stdout).toMatch(/^default\.next +applied +- +0 % +it was not started yet$/m)
    expect(all.stdout).toContain('default.late')
    const one = await asked([some], ['status', 'next'])
    expect(one.stdout).toContain('default.next')
    expect(one.stdout).not.toContain('default.late')
    expect((await asked([some], ['history', 'next'])).stdout).toBe('Nothing has happened yet.\n')
  })

  it('is told from one that there is not', async () => {
    const nothing = await asked([some], ['status', 'nxt'])
    expect(nothing.stderr).toMatch(
      /default\.nxt is no rollout of the active revision.*rollout\.unknown/,
    )
  })
})

describe('the history', () => {
  it('says of each move in which mode it was, and on which nodes', async () => {
    const event = { rollout: 'default.next', run: 1, phase: 'running', weight: 100, reason: 'step' }
    const history = [
      { ...event, at: START, step: 0, mode: 'shadow' },
      { ...event, at: START, step: 1, selector: { store: '042' } },
      { ...event, at: START, step: 2 },
    ]
    const { stdout } = await asked([{ ...answer(0), history }], ['history'])
    expect(stdout).toMatch(/running +100 % shadow +step/)
    expect(stdout).toMatch(/running +100 % on store=042 +step/)
    expect(stdout).toMatch(/running +100 % +step/)
  })
})

it('whoever starts a rollout is shown that one alone', async () => {
  const { rollouts = {}, ...more } = answer(0) as { rollouts?: Record<string, object> }
  const both = { ...more, rollouts: { ...rollouts, 'default.other': rollouts['default.next'] } }
  const { stdout } = await asked([both], ['start', 'next'])
  expect(stdout).toContain('default.next')
  expect(stdout).not.toContain('default.other')
})
