/** The writer dies at each of its writes in turn, in each way it can; then another takes its place. */
import { describe, expect, it } from 'vitest'
import { plugin } from '../testing/resources.ts'
import { BASE, version, world } from '../testing/writer-world.ts'
import type { Death, WriterWorld } from '../testing/writer-world.ts'

/** More than any change has writes. */
const MANY = 30
const DEATHS: readonly Death[] = ['before', 'after', 'silent']

/** Two revisions: 1.0.0, then 1.1.0. */
async function twoRevisions(): Promise<WriterWorld> {
  const here = world()
  await here.apply(BASE)
  await here.apply([version('1.1.0')], { base: 1 })
  return here
}

const CHANGES: readonly (readonly [
  what: string,
  begin: () => Promise<WriterWorld>,
  change: (here: WriterWorld) => Promise<unknown>,
  /** The version of the plugin before and after; undefined where nothing runs. */
  versions: readonly (string | undefined)[],
])[] = [
  [
    'the first apply',
    () => Promise.resolve(world()),
    (here) => here.apply(BASE),
    [undefined, '1.0.0'],
  ],
  [
    'an apply',
    twoRevisions,
    (here) => here.apply([plugin('p', { priority: 9 })], { base: 2 }),
    ['1.1.0', '1.0.0'],
  ],
  ['a rollback', twoRevisions, (here) => here.rollback({ base: 2, to: 1 }), ['1.1.0', '1.0.0']],
]

describe.each(CHANGES)('%s, interrupted', (_what, begin, change, [before, after]) => {
  it.each(DEATHS)(
    '%s any of its writes leaves a whole snapshot, and the next apply works',
    async (how) => {
      let interrupted = 0
      for (let index = 0; index < MANY; index += 1) {
        const here = await begin()
        const first = here.active()?.revision ?? 0
        const reached = await here.killedAt(index, how, () => change(here))
        if (!reached) break
        interrupted += 1
        // what a gateway sees in this very moment, before anything has been repaired
        const running = (await here.running())?.plugins['default.p']?.moduleVersion
        expect([before, after]).toContain(running)
        if (before !== undefined) expect(await here.running()).toBeDefined()

        const planned = await here.apply([plugin('q')], { dryRun: true })
        if (planned.result !== 'planned') throw new Error(`write ${index}: ${planned.result}`)
        expect([first, first + 1]).toContain(planned.base)
        const applied = await here.apply([...BASE.slice(0, 2), plugin('q')], { base: planned.base })
        expect(applied).toMatchObject({ result: 'applied', revision: planned.base + 1 })
        expect(here.active()?.revision).toBe(planned.base + 1)
        const plugins = (await here.running())?.plugins ?? {}
        expect(Object.keys(plugins)).toContain('default.q')
        // decided is decided: the change is there whole, or not at all
        const kept = plugins['default.p']?.moduleVersion
        expect(kept).toBe(planned.base === first ? before : after)
        const { revisions } = await here.history()
        const numbers = revisions.map(({ revision }) => revision)
        expect(numbers).toEqual(numbers.map((_, at) => planned.base + 1 - at))
      }
      // snapshot, resources, revision, decision, pointer, confirmation; a rollback has the first two
      expect(interrupted).toBeGreaterThanOrEqual(4)
      expect(interrupted).toBeLessThan(MANY)
    },
  )
})

it('is completed by an alarm, whatever it was cut off at', async () => {
  for (let index = 0; index < MANY; index += 1) {
    const here = await twoRevisions()
    const reached = await here.killedAt(index, 'before', () =>
      here.apply([plugin('q')], { base: 2 }),
    )
    if (!reached) break
    await here.complete()
    const planned = await here.apply([plugin('z')], { dryRun: true })
    expect(planned).toMatchObject({ base: here.active()?.revision })
  }
})

it('never lets a pointer name what the store does not have', async () => {
  const here = await twoRevisions()
  const seen: boolean[] = []
  const set = here.values.set.bind(here.values)
  here.values.set = (key, text) => {
    set(key, text)
    const { snapshot = '', revision = 0 } = here.active() ?? {}
    seen.push(here.values.has(`snapshot.${snapshot}`) && here.values.has(`revision.${revision}`))
    return here.values
  }
  await here.apply([plugin('q')], { base: 2 })
  await here.rollback({ base: 3 })
  expect(seen).toHaveLength(6)
  expect(seen).not.toContain(false)
})
