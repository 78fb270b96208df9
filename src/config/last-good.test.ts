/** Which versions of a plugin a snapshot carries beside it, over many revisions. */
import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'
import type { ModuleCatalog } from './compile/module-catalog.ts'
import { asLastGood } from './last-good.ts'
import type { Resource } from './resources/kinds.ts'
import type { Snapshot, SnapshotPlugin } from './snapshot.ts'
import { CATALOG, plugin, policy, sha } from './testing/resources.ts'

const ID = 'default.p'

function snapshotOf(
  resources: readonly Resource[],
  previous?: Snapshot,
  catalog: ModuleCatalog = CATALOG,
): Snapshot {
  const { snapshot, problems } = compile({ resources, catalog, previous })
  if (snapshot === undefined) throw new Error(JSON.stringify(problems))
  return snapshot
}

function pluginOf(snapshot: Snapshot): SnapshotPlugin {
  const found = snapshot.plugins[ID]
  if (found === undefined) throw new Error(`there is no ${ID}`)
  return found
}

const configured = (mark: string): Resource => plugin('p', { pluginConfig: { mark } })
const marks = ({ lastGood = [] }: SnapshotPlugin): unknown[] =>
  lastGood.map(({ configuration }) => (JSON.parse(configuration) as { mark: string }).mark)

describe('over revisions', () => {
  it('keeps the good one behind several bad ones in a row', () => {
    let snapshot = snapshotOf([configured('good')])
    for (const mark of ['bad-1', 'bad-2', 'bad-3'])
      snapshot = snapshotOf([configured(mark)], snapshot)
    expect(marks(pluginOf(snapshot))).toEqual(['bad-2', 'bad-1', 'good'])
  })

  it('keeps no more than three, and none twice', () => {
    let snapshot = snapshotOf([configured('1')])
    for (const mark of ['2', '1', '2', '3', '4', '5']) {
      snapshot = snapshotOf([configured(mark)], snapshot)
    }
    expect(marks(pluginOf(snapshot))).toEqual(['4', '3', '2'])
  })

  it('does not carry what is the plugin itself', () => {
    const first = snapshotOf([configured('1')])
    const back = snapshotOf([configured('1')], snapshotOf([configured('2')], first))
    expect(marks(pluginOf(back))).toEqual(['2'])
  })

  it('stays while something else changes, so that the same resources are the same snapshot', () => {
    const second = snapshotOf([configured('2')], snapshotOf([configured('1')]))
    expect(snapshotOf([configured('2')], second)).toEqual(second)
    const moved = snapshotOf([plugin('p', { pluginConfig: { mark: '2' }, priority: 7 })], second)
    expect(marks(pluginOf(moved))).toEqual(['1'])
  })

  it('leaves out a version whose module is gone', () => {
    const first = snapshotOf([plugin('p', { url: 'oci://r.test/header-policy:1.1.0' })])
    const left = CATALOG.filter(({ sha256 }) => sha256 !== sha('b'))
    expect(pluginOf(snapshotOf([configured('1')], first, left))).not.toHaveProperty('lastGood')
  })
})

describe('a version', () => {
  const before = [
    plugin('p', {
      pluginName: 'old-root',
      pluginConfig: { mark: '1' },
      vmConfig: { env: [{ name: 'REGION', value: 'eu' }] },
    }),
    policy('x', 'p', { vmConfiguration: 'old', limits: { bodyBytes: 10 }, vmId: 'a' }),
  ]
  const after = [
    plugin('p', { pluginConfig: { mark: '2' }, priority: 3 }),
    policy('x', 'p', { allowedCapabilities: ['proxy_log'], vmId: 'a' }),
  ]

  it('is all that its vm is started with, as far as it differs', () => {
    const { lastGood } = pluginOf(snapshotOf(after, snapshotOf(before)))
    expect(lastGood).toEqual([
      {
        module: sha('a'),
        configuration: '{"mark":"1"}',
        rootId: 'old-root',
        env: [['REGION', 'eu']],
        vmConfiguration: 'old',
        allowedCapabilities: null,
        limits: { bodyBytes: 10 },
      },
    ])
  })

  it.each([
    ['a plugin that may call some', before, after],
    ['a plugin that may call all', after, before],
  ])('runs in the place of %s as it was', (_what, old, now) => {
    const was = pluginOf(snapshotOf(old))
    const is = pluginOf(snapshotOf(now, snapshotOf(old)))
    const [version] = is.lastGood ?? []
    const { priority } = is
    expect(version && asLastGood(is, version)).toEqual({ ...was, priority })
  })

  it('stays whole when it is carried on beside another plugin', () => {
    const first = pluginOf(snapshotOf(before))
    const third = pluginOf(
      snapshotOf(
        [plugin('p', { pluginConfig: { mark: '3' } })],
        snapshotOf(after, snapshotOf(before)),
      ),
    )
    const [, oldest] = third.lastGood ?? []
    expect(oldest && asLastGood(third, oldest)).toEqual(first)
  })
})
