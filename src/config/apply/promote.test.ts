/** Promotions: what they make of the resources, and what would undo them. */
import { describe, expect, it } from 'vitest'
import { pluginVersion } from '../plugin-version.ts'
import type { PluginRollout } from '../resources/plugin-rollout.ts'
import type { SnapshotPlugin } from '../snapshot.ts'
import { CATALOG, plugin } from '../testing/resources.ts'
import { BASE, version, world, type WriterWorld } from '../testing/writer-world.ts'
import type { ApplyResult, PromotionLeave } from './apply-request.ts'

const NEXT = 'default.next'

function rollout(candidate: PluginRollout['spec']['candidate']): PluginRollout {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'PluginRollout',
    metadata: { name: 'next' },
    spec: {
      targetRef: { group: 'extensions.istio.io', kind: 'WasmPlugin', name: 'p' },
      candidate,
      steps: [{ weight: 100, pause: '1h' }],
    },
  }
}

const NEW_MODULE = rollout({ url: 'oci://r.test/header-policy:1.1.0' })

/** Revision 1: the plugin `p`, and a rollout of another version of it. */
async function applied(next: PluginRollout = NEW_MODULE): Promise<WriterWorld> {
  const here = world()
  expect(await here.apply([...BASE, next])).toMatchObject({ result: 'applied', revision: 1 })
  return here
}

/** What the rollout object says of the candidate that runs. */
async function leave(here: WriterWorld): Promise<PromotionLeave> {
  const found = (await here.running())?.rollouts?.find(({ id }) => id === NEXT)
  if (found === undefined) throw new Error('no rollout')
  return { rollout: NEXT, run: 3, version: await pluginVersion(found.candidate) }
}

async function promoted(next?: PluginRollout): Promise<WriterWorld> {
  const here = await applied(next)
  const result = await here.promote(await leave(here), { base: 1, by: 'ann' })
  expect(result).toMatchObject({ result: 'applied', revision: 2 })
  return here
}

const running = async (here: WriterWorld): Promise<SnapshotPlugin | undefined> =>
  (await here.running())?.plugins['default.p']

const codes = (result: ApplyResult): readonly string[] =>
  result.result === 'refused'
    ? result.problems.map(({ code, resource }) => `${code} ${resource}`)
    : []

const UNDOES = ['rollout.undoes_promotion WasmPlugin default/p']

describe('a promotion', () => {
  it('writes the candidate into its plugin and takes the rollout out, as a revision that says so', async () => {
    const here = await applied()
    const candidate = (await here.running())?.rollouts?.[0]?.candidate
    await here.promote(await leave(here), { base: 1, by: 'ann', why: 'it is good' })
    expect(await running(here)).toMatchObject({ ...candidate, moduleVersion: '1.1.0' })
    expect((await here.running())?.rollouts).toBeUndefined()
    expect(JSON.parse(here.values.get('revision.2') ?? '')).toMatchObject({
      by: 'ann',
      why: 'promoted default.next run 3: it is good',
      changes: [
        { what: 'plugin', name: 'default.p', how: 'changed' },
        { what: 'rollout', name: NEXT, how: 'removed' },
      ],
    })
    // the resources are what the next apply starts from
    await here.apply([plugin('q')], { base: 2 })
    expect((await running(here))?.moduleVersion).toBe('1.1.0')
  })

  it('changes what the candidate changes, and leaves the rest of the plugin alone', async () => {
    const here = await applied(rollout({ pluginConfig: { mark: 'new' } }))
    const before = await running(here)
    await here.promote(await leave(here), { base: 1 })
    const { lastGood: _, ...after } = (await running(here)) ?? {}
    const { lastGood: _before, ...rest } = before ?? {}
    expect(after).toEqual({ ...rest, configuration: '{"mark":"new"}' })
  })

  it('is planned like every change, and written for the revision that was seen alone', async () => {
    const here = await applied()
    const given = await leave(here)
    const plan = await here.promote(given, { dryRun: true })
    expect(plan).toMatchObject({ result: 'planned', base: 1, changes: [{ how: 'changed' }, {}] })
    expect(here.active()?.revision).toBe(1)
    await here.apply([plugin('q')], { base: 1 })
    expect(await here.promote(given, { base: 1 })).toEqual({ result: 'conflict', current: 2 })
  })

  it('says what it means where not all requests have had the candidate', async () => {
    const here = await applied()
    const warning = 'its candidate has 5 %'
    expect(await here.promote({ ...(await leave(here)), warning }, { base: 1 })).toMatchObject({
      result: 'applied',
      warnings: [{ code: 'rollout.not_complete', severity: 'warning', message: warning }],
    })
  })

  it('is refused for another candidate than the one that ran, and without one', async () => {
    const here = await applied()
    const given = await leave(here)
    await here.apply([rollout({ pluginConfig: { mark: 'other' } })], { base: 1 })
    expect(codes(await here.promote(given, { base: 2 }))).toEqual(['rollout.wrong_phase '])
    const nothing = world()
    await nothing.apply(BASE)
    expect(codes(await nothing.promote(given, { base: 1 }))).toEqual(['rollout.not_applied '])
  })

  it('is refused where the url of the candidate has another module since', async () => {
    const here = await applied()
    const given = await leave(here)
    here.catalog = CATALOG.map((one) =>
      one.version === '1.1.0' ? Object.assign({}, one, { sha256: '9'.repeat(64) }) : one,
    )
    await here.killedAt(99, 'before', () => Promise.resolve())
    expect(codes(await here.promote(given, { base: 1 }))).not.toEqual([])
    expect(here.active()?.revision).toBe(1)
  })

  it('of a plugin of another kind has to be written by hand', async () => {
    const here = world()
    const { spec } = plugin('p')
    const traffic = {
      apiVersion: 'extensions.istio.io/v1alpha1',
      kind: 'TrafficExtension',
      metadata: { name: 'p' },
      spec: { wasm: { url: spec.url } },
    }
    await here.apply([...BASE.filter(({ kind }) => kind !== 'WasmPlugin'), traffic, NEW_MODULE])
    expect(codes(await here.promote(await leave(here), { base: 1 }))).toEqual([
      'config.unsupported ',
    ])
  })
})

describe('an apply that would undo a promotion', () => {
  it('is refused, planned or not, and says which it is', async () => {
    const here = await promoted()
    for (const dryRun of [true, false]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const result = await here.apply([version('1.0.0')], { base: 2, dryRun })
      expect(codes(result)).toEqual(UNDOES)
      expect(JSON.stringify(result)).toMatch(
        /default\.p would be header-policy 1\.0\.0 .* again, which header-policy 1\.1\.0 .* replaced in revision 2 when default\.next was promoted \(run 3\)/,
      )
    }
    expect((await running(here))?.moduleVersion).toBe('1.1.0')
    // with the rollout of before beside it, too: those are the files of before
    expect(codes(await here.apply([...BASE, NEW_MODULE], { base: 2, prune: true }))).toEqual(UNDOES)
  })

  it('is refused for a configuration alone, whose values are in no message', async () => {
    const here = await promoted(rollout({ pluginConfig: { key: 'geheim' } }))
    const result = await here.apply([plugin('p')], { base: 2 })
    expect(codes(result)).toEqual(UNDOES)
    expect(JSON.stringify(result)).not.toContain('geheim')
  })

  it('is written with force, and forgotten', async () => {
    const here = await promoted()
    expect(await here.apply([version('1.0.0')], { base: 2, force: true })).toMatchObject({
      result: 'applied',
      warnings: [{ code: 'rollout.undoes_promotion', severity: 'warning' }],
    })
    await here.apply([version('1.1.0')], { base: 3 })
    expect(await here.apply([version('1.0.0')], { base: 4 })).toMatchObject({ result: 'applied' })
  })

  it('is one also behind other changes, and after the writer has died', async () => {
    const here = await promoted()
    await here.apply([plugin('q')], { base: 2 })
    await here.killedAt(99, 'before', () => Promise.resolve())
    expect(codes(await here.apply([version('1.0.0')], { base: 3 }))).toEqual(UNDOES)
  })

  it('is none when it brings what was promoted, another version, or takes the plugin out', async () => {
    const here = await promoted()
    expect(await here.apply([version('1.1.0')], { base: 2 })).toMatchObject({
      result: expect.stringMatching(/applied|unchanged/) as string,
    })
    const base = (): number => here.active()?.revision ?? 0
    const other = plugin('p', { pluginConfig: { another: 1 } })
    expect(await here.apply([other], { base: base() })).toMatchObject({ result: 'applied' })
    const others = BASE.filter(({ kind }) => kind !== 'WasmPlugin')
    expect(await here.apply(others, { base: base(), prune: true })).toMatchObject({
      result: 'applied',
    })
    // who takes it out and puts it in again knows what it is
    expect(await here.apply([version('1.0.0')], { base: base() })).toMatchObject({
      result: 'applied',
    })
  })

  it('is none of the rollout that was promoted, applied again: it has no effect and says so', async () => {
    const here = await promoted()
    expect(await here.apply([NEW_MODULE], { base: 2 })).toMatchObject({
      result: 'applied',
      warnings: [{ code: 'config.no_effect', resource: 'PluginRollout default/next' }],
    })
  })

  it('may be a rollback, which says so and needs no force', async () => {
    const here = await promoted()
    expect(await here.rollback({ base: 2 })).toMatchObject({
      result: 'applied',
      warnings: [{ code: 'rollout.undoes_promotion', severity: 'warning' }],
    })
    expect((await running(here))?.moduleVersion).toBe('1.0.0')
    // it is what runs: to apply it again undoes nothing
    expect(codes(await here.apply([version('1.0.0')], { base: 3 }))).toEqual([])
  })
})
