/** What a local store is filled with is what a gateway runs. */
import { expect, it } from 'vitest'
import { LiveConfig } from './live-config.ts'
import { seedEntries } from './seed.ts'
import { FakeClock } from './testing/fake-clock.ts'
import { FakeSource } from './testing/fake-source.ts'
import { CATALOG, plugin, route, upstream } from './testing/resources.ts'

const AT = '2026-11-01T00:00:00.000Z'

it('fills an empty store with what a gateway runs', async () => {
  const { entries, problems } = await seedEntries(
    [upstream('shop'), route('r'), plugin('p')],
    CATALOG,
    AT,
  )
  expect(problems).toEqual([])
  const clock = new FakeClock(Date.parse(AT))
  const source = new FakeSource(clock)
  for (const { key, value } of entries) source.values.set(key, value)
  const live = new LiveConfig({
    source,
    clock,
    activate: () => Promise.resolve({ running: 'it', plugins: [] }),
  })
  const config = await live.current({ waitUntil: () => undefined })
  expect(config).toMatchObject({
    revision: 1,
    issuedAt: AT,
    snapshot: { gatewayPlugins: ['default.p'] },
  })
})

it('is empty when a resource is wrong', async () => {
  const seed = await seedEntries([{ kind: 'Upstream' }], CATALOG, AT)
  expect(seed).toMatchObject({ entries: [], problems: [{ code: 'config.unknown_kind' }] })
})
