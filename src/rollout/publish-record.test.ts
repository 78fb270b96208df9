/** What replies to reports carry, when KV or the report object fails. */
import { describe, expect, it } from 'vitest'
import { BAD, GOOD, ID, raisedBeforeKv, World } from './testing/controller-world.ts'
import type { RolloutsDocument } from './record.ts'
import { MINUTE, snapshotRollout } from './testing/rollouts.ts'

describe('replies to reports', () => {
  const OTHER = 'default.other'
  const risen = async (): Promise<World> => {
    const world = new World()
    const other = snapshotRollout({ id: OTHER })
    const more = { rollout: other, candidate: 'new' }
    world.active = { ...world.active, rollouts: [...world.active.rollouts, more] }
    await world.act('start')
    await world.run(4 * MINUTE)
    expect(world.weight(world.now, world.announced)).toBe(5)
    return world
  }

  it.each(['down', 'unheard'] as const)(
    'carry a rollback, a pause and a kill though KV cannot be written: %s',
    async (kv) => {
      const world = await risen()
      world.kv = kv
      await world.controller.kill({ plugin: 'default.pricing' }, true, 'ada')
      expect(world.announced.at(-1)?.document.kills).toEqual([{ plugin: 'default.pricing' }])
      await world.act('pause')
      expect(world.announced.at(-1)?.document.rollouts[ID]).toMatchObject({ phase: 'paused' })
      await world.act('abort')
      expect(world.weight(world.now, world.announced)).toBe(0)
      expect(world.stored?.confirmed).toBeLessThan(world.stored?.version ?? 0)
      // and it is called again until KV has it
      world.kv = 'sound'
      await world.run(MINUTE)
      expect(world.published.at(-1)?.document).toEqual(world.announced.at(-1)?.document)
      expect(world.stored?.confirmed).toBe(world.stored?.version)
    },
  )

  it('carry what the analysis takes back though KV cannot be written', async () => {
    const world = await risen()
    world.kv = 'down'
    world.counted = BAD
    await world.run(10_000)
    expect(world.weight(world.now, world.announced)).toBe(0)
    expect(world.weight()).toBe(5)
    expect(await world.controller.turn()).toBeDefined()
  })

  it('raise nobody before KV has it', async () => {
    const world = new World()
    world.kv = 'down'
    await world.act('start')
    await world.run(60 * MINUTE)
    expect(world.announced.flatMap(({ document }) => document.rollouts[ID]?.moves)).toEqual([])
    world.kv = 'sound'
    await world.run(4 * MINUTE)
    expect(world.weight(world.now, world.announced)).toBe(5)
    expect(raisedBeforeKv(world)).toEqual([])
  })

  it('take one back beside another that KV keeps from rising', async () => {
    const world = await risen()
    await world.controller.act(OTHER, 'start', 'ada')
    world.kv = 'down'
    await world.run(4 * MINUTE)
    await world.act('abort').catch(() => undefined)
    const rollouts = world.announced.at(-1)?.document.rollouts ?? {}
    expect(world.weight(world.now, world.announced)).toBe(0)
    expect(rollouts[OTHER]?.moves).toEqual([])
    expect(world.stored?.rollouts[OTHER]?.moves).toHaveLength(1)
    world.kv = 'sound'
    await world.run(MINUTE)
    const last = world.announced.at(-1)?.document
    expect(last).toEqual(world.published.at(-1)?.document)
    expect(last?.rollouts[OTHER]?.moves).toHaveLength(1)
    expect(raisedBeforeKv(world)).toEqual([])
  })

  it('take nothing back with a kill that is lifted before KV knows', async () => {
    const world = await risen()
    await world.controller.kill({ plugin: 'default.pricing' }, true, 'ada')
    world.kv = 'down'
    await world.controller.kill({ plugin: 'default.pricing' }, false, 'ada').catch(() => undefined)
    expect(world.announced.at(-1)?.document.kills).toHaveLength(1)
    world.kv = 'sound'
    await world.run(MINUTE)
    expect(world.announced.at(-1)?.document.kills).toEqual([])
  })

  it('that could not be told hear of it when they can be', async () => {
    const world = await risen()
    world.reports = 'down'
    await world.act('abort')
    expect(world.weight()).toBe(0)
    expect(world.weight(world.now, world.announced)).toBe(5)
    await world.run(MINUTE)
    world.reports = 'sound'
    expect(await world.controller.turn()).toBeUndefined()
    expect(world.weight(world.now, world.announced)).toBe(0)
  })

  it('carry what the analysis takes back though KV can be neither read nor written, and no rise', async () => {
    const world = await risen()
    const unreadable = (): never => {
      throw new Error('KV cannot be read')
    }
    Object.defineProperty(world, 'active', { get: unreadable })
    world.kv = 'down'
    world.counted = GOOD
    await world.run(60 * MINUTE)
    expect(world.state).toMatchObject({ phase: 'running', step: 0 })
    expect(world.weight(world.now, world.announced)).toBe(5)
    world.counted = BAD
    await world.run(10_000)
    expect(world.state?.phase).toBe('rolled-back')
    expect(world.weight(world.now, world.announced)).toBe(0)
  })

  it('need nobody who knows what is active to take one back', async () => {
    const world = await risen()
    Object.defineProperty(world, 'active', {
      get: () => {
        throw new Error('KV cannot be read')
      },
    })
    await world.act('abort')
    expect(world.weight(world.now, world.announced)).toBe(0)
  })
})

describe('a key that somebody else has written', () => {
  const risen = async (): Promise<World> => {
    const world = new World()
    await world.act('start')
    return world.run(4 * MINUTE)
  }
  /** All nodes have it, by now: at 90 per cent, and newer than anything the controller knows. */
  const written = (world: World, version = 1_000_000): number => {
    const rollout = {
      ...world.published.at(-1)?.document.rollouts[ID],
      moves: [{ effectiveAt: world.now, weight: 90 }],
    }
    const by = { version, rollouts: { [ID]: rollout }, kills: [] } as unknown as RolloutsDocument
    world.published.push({ at: world.now, document: by })
    world.announced.push({ at: world.now, document: by })
    return version
  }
  const isTold = (world: World, than: number): void => {
    expect(world.published.at(-1)?.document.version).toBeGreaterThan(than)
    expect(world.announced.at(-1)?.document.version).toBeGreaterThan(than)
    expect(world.weight()).toBe(0)
    expect(world.weight(world.now, world.announced)).toBe(0)
  }

  it('does not outlive an abort, nor one that is asked for again', async () => {
    const world = await risen()
    const first = written(world)
    expect(world.weight()).toBe(90)
    await world.act('abort')
    isTold(world, first)
    const second = written(world, 2_000_000)
    expect(world.weight()).toBe(90)
    await world.act('abort')
    isTold(world, second)
  })

  it('does not outlive the analysis', async () => {
    const world = await risen()
    const version = written(world)
    world.counted = BAD
    await world.run(MINUTE)
    isTold(world, version)
  })

  it('does not keep a kill from nodes, nor does an object that was lost', async () => {
    const world = await risen()
    world.stored = undefined
    world.restart()
    const version = written(world)
    await world.controller.kill({ plugin: 'default.pricing' }, true, 'ada')
    isTold(world, version)
    expect(world.published.at(-1)?.document.kills).toHaveLength(1)
  })
})

describe('a document', () => {
  const publishers = ({ published, announced }: World): unknown[] => [
    ...new Set([...published, ...announced].map(({ document }) => document.publisher)),
  ]

  it('says which controller it is of, also after a restart', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    world.name = 'another'
    world.restart()
    world.kv = 'down'
    await world.controller.kill({ plugin: 'default.pricing' }, true, 'ada')
    await world.act('abort')
    world.kv = 'sound'
    await world.run(MINUTE)
    expect(world.announced.length).toBeGreaterThan(2)
    expect(publishers(world)).toEqual(['edge'])
  })

  it('has a name from the next on when the record is of an older Postern', async () => {
    const world = new World()
    await world.act('start')
    await world.run(4 * MINUTE)
    const { publisher: _, ...record } = world.stored ?? raise()
    world.stored = record
    world.name = 'another'
    await world.act('abort')
    expect(world.published.at(-1)?.document).toMatchObject({ publisher: 'another' })
    expect(world.stored?.publisher).toBe('another')
  })
})

function raise(): never {
  throw new Error('nothing is kept')
}
