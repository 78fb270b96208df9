import { describe, expect, it } from 'vitest'
import { changedPlugins } from './apply/changed-plugins.ts'
import { candidateName, candidatePlugin, startable } from './candidate-plugins.ts'
import { compile } from './compile.ts'
import type { PluginRollout } from './resources/plugin-rollout.ts'
import type { Snapshot } from './snapshot.ts'
import { CATALOG, plugin, rollout, route, sha, upstream } from './testing/resources.ts'

function snapshotOf(...rollouts: readonly PluginRollout[]): Snapshot {
  const resources = [plugin('p'), route('r'), upstream('shop'), ...rollouts]
  const { snapshot, problems } = compile({ resources, catalog: CATALOG })
  if (snapshot === undefined) throw new Error(JSON.stringify(problems))
  return snapshot
}

describe('a candidate', () => {
  it('is started as its plugin with another version, whose place that takes when it does not start', () => {
    const all = startable(snapshotOf(rollout('out', 'p')))
    expect(Object.keys(all)).toEqual(['default.p', 'default.p (candidate)'])
    expect(all['default.p (candidate)']).toMatchObject({
      id: 'default.p',
      module: sha('b'),
      lastGood: [{ module: sha('a'), configuration: '' }],
    })
  })

  it('is tried once, whatever modes its steps have, and nothing stands in for one that takes no part', () => {
    const steps = [
      { weight: 100, pause: '1h', mode: 'shadow' as const },
      { weight: 5, pause: '1h' },
    ]
    const snapshot = snapshotOf(rollout('out', 'p', { steps }))
    expect(Object.keys(startable(snapshot))).toEqual(['default.p', 'default.p (candidate)'])
    const [compiled] = snapshot.rollouts ?? []
    expect(compiled && candidatePlugin(snapshot, compiled, 'shadow')).toMatchObject({
      module: sha('b'),
      lastGood: [],
      logOnly: { callouts: 'replay', compared: true },
    })
    expect(compiled && candidateName(compiled, 'shadow')).toBe('default.p (candidate, shadow)')
  })

  it('is tried when it is new or another one, and not when only its steps are', () => {
    const steps = [{ weight: 9, pause: '1h' }]
    const candidate = { pluginConfig: { a: 1 } }
    const before = snapshotOf(rollout('out', 'p'))
    expect(changedPlugins(snapshotOf(), before)).toEqual(['default.p (candidate)'])
    expect(changedPlugins(before, snapshotOf(rollout('out', 'p', { steps })))).toEqual([])
    expect(changedPlugins(before, snapshotOf(rollout('out', 'p', { candidate })))).toEqual([
      'default.p (candidate)',
    ])
    expect(changedPlugins(before, snapshotOf())).toEqual([])
  })
})
