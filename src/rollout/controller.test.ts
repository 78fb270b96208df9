import { describe, expect, it } from 'vitest'
import {
  BAD,
  GOOD,
  ID,
  raisedBeforeKv,
  START,
  versions,
  without,
  World,
} from './testing/controller-world.ts'
import { errors } from './testing/counts.ts'
import { MINUTE } from './testing/rollouts.ts'

const ALL = { weight: 100, pauseMs: 10 * MINUTE }

describe('a controller', () => {
  it('does nothing before a rollout is started', async () => {
    const world = await new World().run(60 * MINUTE)
    expect(world.published).toEqual([])
    expect(await world.controller.turn()).toBeUndefined()
  })

  it('takes one to its end, and says what it has done', async () => {
    const world = new World()
    await world.act('start')
    await world.run(15 * MINUTE)
    world.counted = GOOD
    await world.run(30 * MINUTE)
    expect(world.state).toMatchObject({ phase: 'complete', step: 2 })
    expect(world.weight()).toBe(100)
    expect(world.stored?.history.map(({ phase, weight }) => [phase, weight])).toEqual([
      ['running', 0],
      ['running', 5],
      ['running', 50],
      ['running', 100],
      ['complete', 100],
    ])
    // what is told to nodes is told once
    expect(world.published.map(({ document }) => document.version)).toEqual([1, 2, 3, 4, 5])
  })

  it('rolls back by itself and keeps what the analysis said', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    expect(world.weight()).toBe(5)
    world.counted = BAD
    await world.run(10_000)
    expect(world.weight()).toBe(0)
    expect(world.stored?.history.at(-1)).toMatchObject({
      phase: 'rolled-back',
      reason: 'worse in step 1: server-errors',
      finding: { verdict: 'fails', requests: { stable: 1e6, candidate: 1e6 } },
    })
  })

  it('looks at what a step says of its own mode, and at who was served where nobody is left to compare with', async () => {
    const world = new World()
    const [pauseMs, passesWithinMs] = [MINUTE, 60 * MINUTE]
    const steps = [
      { weight: 100, pauseMs, passesWithinMs, mode: 'shadow' },
      { weight: 100, pauseMs, passesWithinMs },
    ] as const
    world.active = versions('new', 'old', 1, { steps })
    await world.act('start')
    // what requests got says nothing of a shadow
    world.counted = errors([1e6, 5000], [0, 0])
    await world.run(20 * MINUTE)
    expect(world.state).toMatchObject({ phase: 'running', step: 0 })
    world.pairs = GOOD
    await world.run(5 * MINUTE)
    expect(world.state?.step).toBe(1)
    expect(world.published.at(-1)?.document.rollouts[ID]?.moves).toMatchObject([
      { weight: 100, mode: 'shadow' },
      { weight: 100 },
    ])
    // the shadow passed; who was stable meanwhile is who the candidate is compared with
    world.counted = errors([2e6, 10_000], [1e6, 60_000])
    await world.run(MINUTE)
    expect(world.state).toMatchObject({
      phase: 'rolled-back',
      reason: 'worse in step 2: server-errors',
    })
  })

  it('stays where it is while nobody can say what was counted, or what is active', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    world.counted = new Error('down')
    await world.run(600 * MINUTE)
    expect(world.weight()).toBe(5)
    expect(world.state).toMatchObject({ phase: 'running', step: 0 })
  })

  it('is over when its plugin becomes the candidate', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    world.active = versions('new', 'new')
    await world.run(10_000)
    expect(world.state?.phase).toBe('promoted')
  })

  it.each([
    [
      'another candidate takes its place',
      versions('newer', 'old'),
      'its candidate is another one now; start it again',
    ],
    [
      'the step under way is to do something else',
      versions('new', 'old', 1, { mode: 'shadow' }),
      'step 1 has another mode now; start it again',
    ],
    ['it is taken out', without(versions('new', 'old')), 'it is in the active snapshot no longer'],
  ])('goes back when %s', async (_, active, reason) => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    world.active = active
    await world.run(10_000)
    expect(world.state).toMatchObject({ phase: 'rolled-back', reason })
    expect(world.weight()).toBe(0)
  })

  it('does what it is asked once, however often', async () => {
    const world = new World()
    for (const action of [
      'start',
      'start',
      'pause',
      'pause',
      'resume',
      'resume',
      'abort',
      'abort',
    ] as const) {
      await world.act(action)
    }
    expect(world.stored?.history.map(({ reason }) => reason)).toEqual([
      'started by ada',
      'paused by ada',
      'resumed by ada',
      'aborted by ada',
    ])
    expect(world.state?.run).toBe(1)
    await world.act('start')
    expect(world.state?.run).toBe(2)
  })

  it('tells who left the namespace out of a name with a dot in it', async () => {
    const world = new World()
    const message = expect.stringMatching(
      /; a name with a dot needs its namespace: default\.pricing-1\.1$/,
    ) as string
    const { controller } = world
    await expect(controller.act('pricing-1.1', 'start', 'ada')).rejects.toMatchObject({ message })
    await world.act('start')
    for (const action of ['pause', 'abort'] as const) {
      await expect(controller.act('pricing-1.1', action, 'ada')).rejects.toMatchObject({ message })
    }
    await expect(controller.promotion('pricing-1.1', false)).rejects.toMatchObject({ message })
    await expect(controller.act('other', 'abort', 'ada')).rejects.toMatchObject({
      message: 'other was never started',
    })
  })

  it('says what cannot be done', async () => {
    const world = new World()
    await expect(world.act('pause')).rejects.toMatchObject({ code: 'rollout.unknown' })
    await world.act('start')
    await world.act('abort')
    await expect(world.act('resume')).rejects.toMatchObject({ code: 'rollout.wrong_phase' })
    world.active = versions('same', 'same')
    await expect(world.act('start')).rejects.toMatchObject({ code: 'rollout.nothing_to_do' })
    world.active = without(world.active)
    await expect(world.act('start')).rejects.toMatchObject({ code: 'rollout.not_applied' })
  })

  it('has a switch for each plugin and group of nodes, which is on or off however often it is set', async () => {
    const world = new World()
    const ring = { plugin: 'default.pricing', selector: { ring: '1', country: 'de' } }
    await world.controller.kill({ plugin: 'default.pricing' }, true, 'ada')
    await world.controller.kill(ring, true, 'ada')
    await world.controller.kill({ ...ring, selector: { country: 'de', ring: '1' } }, true, 'ada')
    expect(world.published.at(-1)?.document).toMatchObject({
      version: 2,
      kills: [{ plugin: 'default.pricing' }, ring],
    })
    expect(await world.controller.kill(ring, false, 'ada')).toEqual([{ plugin: 'default.pricing' }])
  })

  it('has no switch for what is no plugin, and none to take back that is not set', async () => {
    const world = new World()
    const kill = (plugin: string, on: boolean): Promise<unknown> =>
      world.controller.kill({ plugin }, on, 'ada')
    await expect(kill('default.pricign', true)).rejects.toMatchObject({
      code: 'rollout.unknown_plugin',
      message: 'there is no plugin default.pricign',
    })
    await expect(kill(ID, true)).rejects.toThrow(`it is a rollout of default.pricing`)
    await expect(kill('default.pricing', false)).rejects.toMatchObject({
      code: 'rollout.not_killed',
    })
    expect(world.published).toEqual([])
    // while nobody can say which plugins there are, no name is refused
    Object.defineProperty(world, 'active', {
      get: () => {
        throw new Error('KV cannot be read')
      },
    })
    expect(await kill('default.pricign', true)).toEqual([{ plugin: 'default.pricign' }])
  })

  it('tells who switched a candidate off, and on again, in the history of what is under way', async () => {
    const world = new World()
    const ring = { plugin: 'default.pricing', selector: { ring: '1' } }
    await world.act('start')
    await world.controller.kill(ring, true, 'ada')
    await world.controller.kill(ring, false, 'bob')
    expect(world.stored?.history.map(({ reason }) => reason)).toEqual([
      'started by ada',
      'killed on nodes with ring=1 by ada',
      'no longer killed on nodes with ring=1 by bob',
    ])
  })
})

describe('a candidate that is off on all nodes', () => {
  it('has the step under way begin when it is let run again: what runs nowhere shows nothing', async () => {
    const world = new World()
    world.active = versions('new', 'old', 1, { steps: [{ weight: 5, pauseMs: 10 * MINUTE }, ALL] })
    await world.act('start')
    await world.run(5 * MINUTE)
    await world.controller.kill({ plugin: 'default.pricing' }, true, 'ada')
    await world.run(120 * MINUTE)
    expect(world.state).toMatchObject({ phase: 'running', step: 0 })
    await world.controller.kill({ plugin: 'default.pricing' }, false, 'ada')
    await world.run(9 * MINUTE)
    expect(world.state?.step).toBe(0)
    await world.run(2 * MINUTE)
    expect(world.state?.step).toBe(1)
  })

  it('goes on elsewhere when it is off on some of them', async () => {
    const world = new World()
    world.active = versions('new', 'old', 1, { steps: [{ weight: 5, pauseMs: 10 * MINUTE }, ALL] })
    await world.act('start')
    await world.controller.kill({ plugin: 'default.pricing', selector: { ring: '1' } }, true, 'ada')
    await world.run(15 * MINUTE)
    expect(world.state?.step).toBe(1)
  })

  it.each([
    [{ plugin: 'default.pricing' }, 'all nodes'],
    [{ plugin: 'default.pricing', selector: { ring: '1' } }, 'nodes with ring=1'],
  ])('is promoted by force alone: %j', async (kill, where) => {
    const world = new World()
    world.active = versions('new', 'old', 1, { steps: [ALL] })
    await world.act('start')
    await world.run(15 * MINUTE)
    expect(world.state?.phase).toBe('complete')
    expect(await world.controller.promotion(ID, false)).toEqual({
      rollout: ID,
      run: 1,
      version: 'new',
    })
    await world.controller.kill(kill, true, 'ada')
    await expect(world.controller.promotion(ID, false)).rejects.toMatchObject({
      code: 'rollout.not_complete',
      message: expect.stringContaining(`is off on ${where}`) as string,
    })
    const { warning } = await world.controller.promotion(ID, true)
    expect(warning).toContain(`is off on ${where}`)
    await world.controller.kill(kill, false, 'ada')
    expect(await world.controller.promotion(ID, false)).not.toHaveProperty('warning')
  })
})

describe('a controller that is killed', () => {
  /** A whole rollout with traffic; the controller dies once, at the write of that number. */
  async function played(dies: World['dies'], bad: boolean, downMs = 30_000): Promise<World> {
    const world = new World()
    world.dies = dies
    world.turnMs = 30_000
    await world.act('start').catch(() => world.act('start'))
    for (let minute = 0; minute < 90; minute += 1) {
      const worse = bad ? Math.max(minute - 20, 0) * 5000 : 0
      const [requests, failed] = [minute * 1e5, minute * 500]
      world.counted = errors([requests, failed], [requests, failed + worse])
      await world.run(MINUTE, downMs)
    }
    return world
  }

  it.each([
    ['and comes back at once', 30_000],
    ['and comes back after ten minutes', 10 * MINUTE],
  ])(
    'at any write, written or not, %s, goes on to the same end',
    async (_, downMs) => {
      for (const bad of [false, true]) {
        const whole = await played(undefined, bad)
        expect(whole.state?.phase).toBe(bad ? 'rolled-back' : 'complete')
        for (let at = 1; at <= whole.writes; at += 1) {
          for (const written of [false, true]) {
            const world = await played({ at, written }, bad, downMs)
            const where = `write ${at}${written ? ', written' : ''}`
            expect(world.state?.phase, where).toBe(whole.state?.phase)
            expect(world.weight(), where).toBe(whole.weight())
            expect(world.weight(world.now, world.announced), where).toBe(whole.weight())
            // what happened is told once
            if (!bad) expect(reasons(world), where).toEqual(reasons(whole))
            expect(new Set(reasons(world)).size, where).toBe(reasons(world).length)
            holds(world, where)
          }
        }
      }
    },
    60_000,
  )

  const reasons = (world: World): string[] =>
    (world.stored?.history ?? []).map(({ reason }) => reason)

  /** Versions never go back, and no node that has risen comes down but for a rollback. */
  function holds(world: World, where: string): void {
    const versions = world.published.map(({ document }) => document.version)
    expect(versions, where).toEqual(versions.toSorted((a, b) => a - b))
    for (const way of [world.published, world.announced]) {
      let before = 0
      for (let at = START; at < world.now; at += 15_000) {
        const weight = world.weight(at, way)
        if (weight < before) expect([where, weight]).toEqual([where, 0])
        before = weight
      }
    }
    expect(raisedBeforeKv(world), where).toEqual([])
  }
})

describe('a rise', () => {
  it('that was kept but not published in time is moved, so that all nodes can know of it', async () => {
    const world = new World()
    // the five writes of the start, then the record with the first step
    world.dies = { at: 6, written: true }
    await world.act('start')
    await world.run(1, 10 * MINUTE)
    expect(world.stored?.confirmed).toBe(1)
    await world.run(1)
    const rise = world.published.at(-1)
    const move = rise?.document.rollouts[ID]?.moves[0]
    expect((move?.effectiveAt ?? 0) - (rise?.at ?? 0)).toBeGreaterThanOrEqual(90_000)
    expect(world.state?.since).toBe(move?.effectiveAt)
  })

  it('is as far ahead as the deployment says, and is looked at as often', async () => {
    const world = new World({ riseLeadMs: 2_000, lookEveryMs: 500 })
    await world.act('start')
    expect(await world.controller.turn()).toBe(START + 500)
    expect(world.state?.moves).toEqual([{ effectiveAt: START + 2_000, weight: 5 }])
    // a controller that dies behind its decision publishes it late: then it counts late
    const late = new World({ riseLeadMs: 2_000, lookEveryMs: 500 })
    late.dies = { at: 6, written: true }
    await late.act('start')
    await late.run(1, 5_000)
    await late.run(1)
    const { at, document } = late.published.at(-1) ?? { at: 0 }
    expect(document?.rollouts[ID]?.moves[0]?.effectiveAt).toBe(at + 2_000)
  })

  it('counts at once where nothing has to be waited for', async () => {
    const world = new World({ riseLeadMs: 0, lookEveryMs: 500 })
    await world.act('start')
    await world.run(1)
    expect(world.weight()).toBe(5)
  })
})

it('whoever looks on is shown what is applied and was not started', async () => {
  const world = new World()
  expect(await world.controller.view()).toMatchObject({ rollouts: {}, notStarted: [ID] })
  await world.act('start')
  expect(await world.controller.view()).toMatchObject({ notStarted: [] })
})
