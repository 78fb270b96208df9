/** What a controller still does when nobody can say what is active: KV is down, or too slow. */
import { describe, expect, it } from 'vitest'
import { BAD, GOOD, ID, versions, World } from './testing/controller-world.ts'
import { MINUTE } from './testing/rollouts.ts'

describe('a controller that comes back and cannot read what is active', () => {
  it('takes back what is worse, moves nothing forward, and goes on when it can be read', async () => {
    const world = new World()
    world.active = versions('new', 'old', 3)
    await world.act('start')
    await world.run(4 * MINUTE)
    expect(world.weight()).toBe(5)
    // of what is large or secret nothing is kept, and nobody is told
    expect(JSON.stringify(world.stored?.known)).not.toMatch(/configuration|clientIp/)
    expect(await world.controller.read()).not.toHaveProperty('known')
    world.restart()
    world.unreadable = new Error('KV is down')
    world.counted = GOOD
    await world.run(60 * MINUTE)
    expect(world.state).toMatchObject({ phase: 'running', step: 0 })
    world.restart()
    world.counted = BAD
    await world.run(10_000)
    expect(world.state).toMatchObject({
      phase: 'rolled-back',
      reason: 'worse in step 1: server-errors',
    })
    expect(world.weight()).toBe(0)
  })

  it('says what it cannot, and all else', async () => {
    const world = new World()
    await world.act('start')
    await world.run(6 * MINUTE)
    world.counted = GOOD
    const whole = await world.controller.view()
    expect(whole.unseen).toBeUndefined()
    expect(whole.views?.[ID]).toMatchObject({ finding: { verdict: 'passes' } })
    world.restart()
    world.unreadable = new Error('KV is down')
    const { views, unseen } = await world.controller.view()
    expect(unseen).toBe('KV is down')
    expect(views).toEqual(whole.views)
    world.counted = new Error('the report object is away')
    const rest = await world.controller.view()
    expect(rest.unseen).toBe('KV is down; the report object is away')
    expect(rest.views?.[ID]?.finding).toBeUndefined()
    expect(rest.views?.[ID]?.steps).toHaveLength(3)
    expect(rest.rollouts[ID]?.phase).toBe('running')
  })
})
