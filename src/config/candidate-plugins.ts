/** The candidates of a snapshot's rollouts as plugins of their own, under names that no plugin has. */
import type { PluginId, Snapshot, SnapshotPlugin } from './snapshot.ts'
import type { SnapshotRollout } from './snapshot-rollout.ts'

/** Under which name a candidate is brought up, tried and reported. */
export function candidateName({ plugin }: SnapshotRollout): PluginId {
  return `${plugin} (candidate)`
}

/** A shadow is there to be looked at. */
const ALL_DECISIONS = { sampling: 100, mask: [] }

/**
 * @returns the plugin with the candidate's module and configuration, in whose place it runs itself when
 *   the candidate does not start; undefined when the snapshot does not have the plugin
 */
export function candidatePlugin(
  { plugins }: Snapshot,
  { plugin, candidate, mode }: SnapshotRollout,
): SnapshotPlugin | undefined {
  const stable = plugins[plugin]
  if (stable === undefined) return undefined
  const { module, configuration, decisions = ALL_DECISIONS } = stable
  if (mode === 'shadow') {
    // in its place the stable version would be compared with itself
    const own = { lastGood: [], logOnly: { callouts: 'replay' }, decisions } as const
    return { ...stable, ...candidate, ...own }
  }
  return { ...stable, ...candidate, lastGood: [{ module, configuration }] }
}

/** All that a snapshot may start, by name. */
export function startable(snapshot: Snapshot): Readonly<Record<PluginId, SnapshotPlugin>> {
  const { plugins, rollouts } = snapshot
  if (rollouts === undefined) return plugins
  const candidates = rollouts.flatMap((rollout) => {
    const plugin = candidatePlugin(snapshot, rollout)
    return plugin === undefined ? [] : [[candidateName(rollout), plugin] as const]
  })
  return { ...plugins, ...Object.fromEntries(candidates) }
}
