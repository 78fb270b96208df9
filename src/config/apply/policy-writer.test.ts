/** The writer over a store in memory, alone and with others. */
import { describe, expect, it } from 'vitest'
import { seedEntries } from '../seed.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { CATALOG, plugin, route, toUpstream } from '../testing/resources.ts'
import { BASE, version, world } from '../testing/writer-world.ts'
import type { ApplyResult } from './apply-request.ts'
import { PolicyWriter } from './policy-writer.ts'

describe('apply', () => {
  it('writes snapshot, resources, revision and pointer', async () => {
    const here = world()
    const result = await here.apply(BASE, { by: 'ann', why: 'first' })
    expect(result).toMatchObject({ result: 'applied', revision: 1, warnings: [] })
    const hash = here.active()?.snapshot ?? ''
    expect([...here.values.keys()]).toEqual([
      `snapshot.${hash}`,
      `resources.${hash}`,
      'revision.1',
      'active',
    ])
    expect(JSON.parse(here.values.get('revision.1') ?? '')).toMatchObject({
      revision: 1,
      snapshot: hash,
      previous: null,
      by: 'ann',
      why: 'first',
      at: '2026-11-01T00:00:00.000Z',
      changed: 4,
      changes: [{ how: 'added', what: 'plugin', name: 'default.p' }, {}, {}, {}],
    })
    expect((await here.running())?.gatewayPlugins).toEqual(['default.p'])
  })

  it('keeps the resources that are not sent', async () => {
    const here = world()
    await here.apply(BASE)
    const result = await here.apply([version('1.1.0')], { base: 1 })
    expect(result).toMatchObject({
      result: 'applied',
      revision: 2,
      changes: [{ what: 'plugin', name: 'default.p', how: 'changed' }],
    })
    expect((await here.running())?.routes).toHaveLength(1)
    expect(here.active()?.previous).not.toBeNull()
  })

  it('drops them when it is told to prune', async () => {
    const here = world()
    await here.apply(BASE)
    await here.apply([plugin('p')], { base: 1, prune: true })
    expect(await here.running()).toMatchObject({ routes: [], upstreams: {} })
  })

  it('tries the plugins that start differently, and those alone', async () => {
    const here = world()
    await here.apply([...BASE, plugin('q')])
    await here.apply([version('1.1.0'), plugin('q', { priority: 7 })], { base: 1 })
    expect(here.tried).toEqual([['default.p', 'default.q'], ['default.p']])
  })

  it('writes nothing when nothing changes', async () => {
    const here = world()
    await here.apply(BASE)
    const before = [...here.values]
    expect(await here.apply(BASE, { base: 1 })).toMatchObject({ result: 'unchanged', revision: 1 })
    expect([...here.values]).toEqual(before)
  })

  it('plans without writing, and says which revision to start from', async () => {
    const here = world()
    await here.apply(BASE)
    const before = [...here.values]
    const planned = await here.apply([version('1.1.0')], { dryRun: true })
    expect(planned).toMatchObject({ result: 'planned', base: 1, changes: [{ how: 'changed' }] })
    expect([...here.values]).toEqual(before)
  })

  it('keeps the records of the last fifty revisions', async () => {
    const here = world()
    for (let revision = 0; revision < 60; revision += 1) {
      await here.apply([plugin('p', { priority: revision })], { base: revision })
    }
    const records = [...here.values.keys()].filter((key) => key.startsWith('revision.'))
    expect(records).toHaveLength(50)
    expect(records[0]).toBe('revision.11')
  })

  it('starts from what a local store was seeded with', async () => {
    const here = world()
    const { entries } = await seedEntries(BASE, CATALOG, '2026-11-01T00:00:00.000Z')
    for (const { key, value } of entries) here.values.set(key, value)
    const result = await here.apply([version('1.1.0')], { base: 1 })
    expect(result).toMatchObject({ result: 'applied', revision: 2 })
    expect((await here.running())?.routes).toHaveLength(1)
  })
})

async function refusing(resources: readonly unknown[]): Promise<ApplyResult> {
  const here = world()
  await here.apply(BASE)
  const before = [...here.values]
  const result = await here.apply(resources, { base: 1 })
  expect([...here.values]).toEqual(before)
  return result
}

describe('what is refused writes nothing', () => {
  it('a resource with an error', async () => {
    const result = await refusing([{ ...plugin('p'), spec: { uri: 'x' } }])
    expect(result).toMatchObject({
      result: 'refused',
      problems: [{ code: 'config.unknown_field' }, { code: 'config.invalid' }],
    })
  })

  it('a module nobody has', async () => {
    const result = await refusing([version('9.0.0')])
    expect(result).toMatchObject({
      result: 'refused',
      problems: [{ code: 'config.module_unknown', path: ['spec', 'url'] }],
    })
  })

  it('a change that leaves a stored resource without what it names', async () => {
    const rules = [{ backendRefs: [toUpstream('gone')] }]
    expect(await refusing([route('r', { rules })])).toMatchObject({ result: 'refused' })
  })

  it('the same resource twice', async () => {
    expect(await refusing([plugin('q'), plugin('q')])).toMatchObject({
      problems: [{ code: 'config.duplicate' }],
    })
  })

  it('a plugin that does not start, with what it logged', async () => {
    const here = world()
    await here.apply(BASE)
    const before = [...here.values]
    const failed = { plugin: 'default.p', ok: false, reason: 'no', logs: ['bad configuration'] }
    here.refuse([failed])
    const result = await here.apply([version('1.1.0')], { base: 1 })
    expect(result).toEqual({ result: 'refused', problems: [], preflight: [failed] })
    expect([...here.values]).toEqual(before)
  })

  it('a change to resources nobody wrote down', async () => {
    const here = world()
    await here.apply(BASE)
    here.values.delete(`resources.${here.active()?.snapshot ?? ''}`)
    const partly = await here.apply([version('1.1.0')], { base: 1 })
    expect(partly).toMatchObject({ problems: [{ code: 'config.resources_unknown' }] })
    const whole = await here.apply([...BASE, version('1.1.0')].slice(-1), { base: 1, prune: true })
    expect(whole).toMatchObject({ result: 'applied' })
  })
})

describe('two at once', () => {
  it('lets one win and tells the other', async () => {
    const here = world()
    await here.apply(BASE)
    const results = await Promise.all([
      here.apply([version('1.1.0')], { base: 1 }),
      here.apply([plugin('q')], { base: 1 }),
    ])
    expect(results).toMatchObject([
      { result: 'applied', revision: 2 },
      { result: 'conflict', current: 2 },
    ])
    expect(Object.keys((await here.running())?.plugins ?? {})).toEqual(['default.p'])
  })

  it('takes a pointer that was moved by hand for the current one', async () => {
    const here = world()
    await here.apply(BASE)
    const first = here.active()
    await here.apply([version('1.1.0')], { base: 1 })
    here.values.set('active', JSON.stringify({ ...first, revision: 7 }))
    expect(await here.apply([plugin('q')], { base: 2 })).toEqual({ result: 'conflict', current: 7 })
    expect(await here.apply([plugin('q')], { base: 7 })).toMatchObject({ revision: 8 })
    const running = await here.running()
    expect(running?.plugins['default.p']?.moduleVersion).toBe('1.0.0')
  })

  it('does not believe a store that shows an older pointer', async () => {
    const here = world()
    await here.apply(BASE)
    const old = here.values.get('active') ?? ''
    await here.apply([version('1.1.0')], { base: 1 })
    here.values.set('active', old)
    expect(await here.apply([plugin('q')], { base: 2 })).toMatchObject({ revision: 3 })
  })

  it.each([
    ['gone', ''],
    ['not JSON', '{'],
  ])('writes a pointer that is %s again', async (_what, value) => {
    const here = world()
    await here.apply(BASE)
    const pointer = here.active()
    if (value === '') here.values.delete('active')
    else here.values.set('active', value)
    expect(await here.apply(BASE, { base: 1 })).toMatchObject({ result: 'unchanged' })
    expect(here.active()).toEqual(pointer)
  })
})

describe('a store that is slow to take writes', () => {
  it('tries again when the store takes one write a second only', async () => {
    const clock = new FakeClock(0)
    let tries = 0
    const writer = new PolicyWriter({
      store: {
        get: () => Promise.resolve(null),
        delete: () => Promise.resolve(),
        put: (key) => {
          if (key === 'active') tries += 1
          return key === 'active' && tries < 3
            ? Promise.reject(new Error('429'))
            : Promise.resolve()
        },
      },
      state: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
      preflight: () => Promise.resolve([]),
      catalog: CATALOG,
      clock,
    })
    const request = { resources: BASE, base: 0, by: '', why: '', dryRun: false, prune: false }
    const result = await clock.until(writer.apply(request), 5_000)
    expect(result).toMatchObject({ result: 'applied' })
  })
})
