/** How a controller sees what is active: promotions, what undoes them, and runs that begin again. */
import { describe, expect, it } from 'vitest'
import { BAD, GOOD, versions, without, World } from './testing/controller-world.ts'
import { MINUTE } from './testing/rollouts.ts'

describe('a rollout', () => {
  it('is over, with the weight it has, when its plugin becomes the candidate and it is taken out', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    world.active = without(versions('new', 'new'))
    await world.run(10_000)
    expect(world.state?.phase).toBe('promoted')
    // a node that does not know of it yet does not go back
    expect(world.weight()).toBe(5)
    await world.run(60 * MINUTE)
    expect(world.weight()).toBe(5)
    await expect(world.act('start')).rejects.toMatchObject({ code: 'rollout.not_applied' })
    world.active = versions('new', 'new')
    await expect(world.act('start')).rejects.toMatchObject({ code: 'rollout.nothing_to_do' })
    // another candidate is another run
    world.active = versions('newer', 'new')
    await world.act('start')
    expect(world.state).toMatchObject({ run: 2, phase: 'running', moves: [] })
  })

  it('gives nobody the candidate any more when its promotion is undone', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    world.active = without(versions('new', 'new', 2))
    await world.run(10_000)
    // the store shows the revision of before again: that is no news
    world.active = versions('new', 'old', 1)
    expect(await world.controller.turn(2)).toBe(world.now + 10_000)
    expect(world.weight()).toBe(5)
    world.active = versions('new', 'old', 3)
    expect(await world.controller.turn(3)).toBeUndefined()
    expect(world.state).toMatchObject({
      phase: 'rolled-back',
      reason: 'revision 3 undoes its promotion',
    })
    expect(world.weight()).toBe(0)
  })

  it('takes no notice of a store that shows less than what is known to be active', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    world.active = without(versions('new', 'old', 4))
    expect(await world.controller.turn(5)).toBe(world.now + 10_000)
    expect(world.weight()).toBe(5)
  })

  it('does not begin again what waits for somebody', async () => {
    const world = new World()
    await world.act('start')
    await world.act('pause')
    await expect(world.act('start')).rejects.toThrow(/is paused: resume it, or abort it/)
    await world.act('resume')
    await world.run(15 * MINUTE)
    world.counted = GOOD
    await world.run(30 * MINUTE)
    await expect(world.act('start')).rejects.toThrow(/is complete: promote it, or abort it/)
  })

  it('begins a run of its own when it is started again, with the first step', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    await world.act('abort')
    expect(world.weight()).toBe(0)
    await world.act('start')
    expect(world.state).toMatchObject({ run: 2, step: -1, moves: [] })
    expect(world.weight()).toBe(0)
    await world.run(4 * MINUTE)
    expect(world.weight()).toBe(5)
    // what was counted in the first run is no part of the second
    world.counted = BAD
    await world.run(MINUTE)
    expect(world.state).toMatchObject({ run: 2, phase: 'running' })
  })
})
