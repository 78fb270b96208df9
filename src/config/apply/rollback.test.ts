/** Going back: a new revision that names an old snapshot, and everything that can be in its way. */
import { describe, expect, it } from 'vitest'
import { CATALOG, plugin, route, toUpstream, upstream } from '../testing/resources.ts'
import { BASE, version, world } from '../testing/writer-world.ts'
import type { WriterWorld } from '../testing/writer-world.ts'
import { recordedChanges } from './revision-record.ts'

/** 1: 1.0.0, 2: 1.1.0, 3: and a plugin `q`. */
async function threeRevisions(): Promise<WriterWorld> {
  const here = world()
  await here.apply(BASE, { by: 'ann', why: 'first' })
  await here.apply([version('1.1.0')], { base: 1, by: 'bob' })
  await here.apply([plugin('q')], { base: 2 })
  return here
}

const versionOf = async (here: WriterWorld): Promise<string | undefined> =>
  (await here.running())?.plugins['default.p']?.moduleVersion

describe('rollback', () => {
  it('makes a new revision of the snapshot that ran before', async () => {
    const here = await threeRevisions()
    const second = JSON.parse(here.values.get('revision.2') ?? '') as { snapshot: string }
    const third = here.active()?.snapshot
    const result = await here.rollback({ base: 3, by: 'ann', why: 'q is slow' })
    expect(result).toMatchObject({
      result: 'applied',
      revision: 4,
      snapshot: second.snapshot,
      changes: [{ how: 'removed', name: 'default.q' }, { what: 'route' }, { what: 'gateway' }],
    })
    expect(here.active()).toMatchObject({
      revision: 4,
      snapshot: second.snapshot,
      previous: third,
    })
    expect(JSON.parse(here.values.get('revision.4') ?? '')).toMatchObject({
      rollbackTo: 2,
      by: 'ann',
      why: 'q is slow',
    })
  })

  it('goes to the revision that is named, and tries what starts differently', async () => {
    const here = await threeRevisions()
    here.tried.length = 0
    await here.rollback({ base: 3, to: 1 })
    expect([await versionOf(here), here.tried]).toEqual(['1.0.0', [['default.p']]])
  })

  it('undone by another one runs what ran before it', async () => {
    const here = await threeRevisions()
    await here.rollback({ base: 3, to: 1 })
    await here.rollback({ base: 4 })
    expect(Object.keys((await here.running())?.plugins ?? {})).toEqual(['default.p', 'default.q'])
  })

  it('is what later applies start from', async () => {
    const here = await threeRevisions()
    await here.rollback({ base: 3, to: 1 })
    await here.apply([plugin('z')], { base: 4 })
    const { plugins = {} } = (await here.running()) ?? {}
    expect([Object.keys(plugins), await versionOf(here)]).toEqual([
      ['default.p', 'default.z'],
      '1.0.0',
    ])
  })

  it('plans without writing', async () => {
    const here = await threeRevisions()
    const before = [...here.values]
    const planned = await here.rollback({ dryRun: true })
    expect(planned).toMatchObject({ result: 'planned', base: 3, to: 2 })
    expect([...here.values]).toEqual(before)
  })

  it('to what runs changes nothing', async () => {
    const here = await threeRevisions()
    expect(await here.rollback({ base: 3, to: 3 })).toMatchObject({ result: 'unchanged' })
  })

  it('tells who comes second', async () => {
    const here = await threeRevisions()
    const results = await Promise.all([here.rollback({ base: 3 }), here.rollback({ base: 3 })])
    expect(results).toMatchObject([{ revision: 4 }, { result: 'conflict', current: 4 }])
  })
})

describe('a rollback is refused, and writes nothing,', () => {
  async function refusing(
    prepare: (here: WriterWorld) => Promise<unknown> | void,
    to: number | undefined,
  ): Promise<unknown> {
    const here = await threeRevisions()
    await prepare(here)
    const before = [...here.values]
    // a fresh writer, as after a deploy
    await here.killedAt(Infinity, 'before', () => Promise.resolve())
    const result = await here.rollback({ base: here.active()?.revision ?? 0, to })
    expect([...here.values]).toEqual(before)
    return result
  }

  it('when nobody knows the revision', async () => {
    expect(await refusing(() => undefined, 9)).toMatchObject({
      problems: [
        {
          code: 'rollback.unknown_revision',
          message: 'there is no record of revision 9; known: 3, 2, 1',
        },
      ],
    })
  })

  it('when nothing ran before', async () => {
    const here = world()
    await here.apply(BASE)
    const code = { code: 'rollback.unknown_revision' }
    expect(await here.rollback({ base: 1 })).toMatchObject({ problems: [code] })
    expect(await world().rollback()).toMatchObject({ problems: [code] })
  })

  it('when a module was taken out since', async () => {
    const prepare = (here: WriterWorld): void => void (here.catalog = CATALOG.slice(1))
    expect(await refusing(prepare, 1)).toMatchObject({
      problems: [
        {
          code: 'apply.not_bound',
          message:
            'default.p ran header-policy 1.0.0 (aaaaaaaaaaaa), which the gateway no longer has',
        },
      ],
    })
  })

  it('when a service binding was taken out since', async () => {
    const prepare = async (here: WriterWorld): Promise<void> => {
      const rules = [{ backendRefs: [toUpstream('bound')] }]
      await here.apply([upstream('bound', { service: 'SHOP' }), route('r', { rules })], { base: 3 })
      await here.apply([...BASE], { base: 4, prune: true })
      here.services = []
    }
    expect(await refusing(prepare, 4)).toMatchObject({
      problems: [{ code: 'config.dangling_reference' }],
    })
  })

  it('when its snapshot is gone, or no longer what its name says', async () => {
    const damage = (text: string | undefined) => (here: WriterWorld) => {
      const { snapshot } = JSON.parse(here.values.get('revision.1') ?? '') as { snapshot: string }
      if (text === undefined) here.values.delete(`snapshot.${snapshot}`)
      else here.values.set(`snapshot.${snapshot}`, text)
    }
    const codes = [damage(undefined), damage('{}')].map(async (prepare) => {
      const result = (await refusing(prepare, 1)) as { problems: { code: string }[] }
      return result.problems.map(({ code }) => code)
    })
    expect(await Promise.all(codes)).toEqual([
      ['config.snapshot_pending'],
      ['config.snapshot_hash'],
    ])
  })

  it('when a plugin does not start any more', async () => {
    const failed = { plugin: 'default.p', ok: false, reason: 'no', logs: ['bad'] }
    const result = await refusing((here) => here.refuse([failed]), 1)
    expect(result).toMatchObject({ result: 'refused', preflight: [failed] })
  })
})

it('warns when the resources behind the snapshot are gone', async () => {
  const here = await threeRevisions()
  const { snapshot } = JSON.parse(here.values.get('revision.1') ?? '') as { snapshot: string }
  here.values.delete(`resources.${snapshot}`)
  const warnings = [{ code: 'config.resources_unknown', severity: 'warning' }]
  expect(await here.rollback({ base: 3, to: 1 })).toMatchObject({ result: 'applied', warnings })
})

describe('the history', () => {
  it('lists revisions, the newest first, with who, why and what', async () => {
    const here = await threeRevisions()
    await here.rollback({ base: 3, to: 1 })
    const { revision, revisions } = await here.history()
    expect(revision).toBe(4)
    expect(revisions).toMatchObject([
      { revision: 4, rollbackTo: 1 },
      { revision: 3, changes: [{ how: 'added', name: 'default.q' }, {}, {}] },
      { revision: 2, by: 'bob' },
      { revision: 1, by: 'ann', why: 'first', changed: 4 },
    ])
  })

  it('is empty before the first revision', async () => {
    expect(await world().history()).toEqual({ revision: 0, revisions: [] })
  })

  it('goes over gaps and leaves out what is no record', async () => {
    const here = await threeRevisions()
    const pointer = here.active()
    here.values.set('active', JSON.stringify({ ...pointer, revision: 400 }))
    here.values.set('revision.2', 'nonsense')
    const { revision, revisions } = await here.history()
    expect([revision, revisions.map((one) => one.revision)]).toEqual([400, [3, 1]])
  })

  it('keeps enough of a large change, and how large it was', () => {
    const details = Array.from({ length: 30 }, (_, index) => `detail ${index}`)
    const change = { what: 'plugin', name: 'p', how: 'changed', details } as const
    const { changed, changes = [] } = recordedChanges(Array.from({ length: 70 }, () => change))
    expect([changed, changes.length, changes[0]?.details.at(-1)]).toEqual([70, 50, 'and 10 more'])
  })
})
