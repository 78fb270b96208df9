/** The candidates of a snapshot's rollouts as plugins of their own, under names that no plugin has. */
import type { PluginId, Snapshot, SnapshotPlugin } from './snapshot.ts'
import type { RolloutMode, SnapshotRollout } from './snapshot-rollout.ts'

/** Under which name a candidate is brought up, tried and reported: one of each mode, since each has a vm of its own. */
export function candidateName(
  { plugin }: SnapshotRollout,
  mode: RolloutMode = 'enforce',
): PluginId {
  return mode === 'enforce' ? `${plugin} (candidate)` : `${plugin} (candidate, ${mode})`
}

/** What runs for nobody is there to be looked at. */
const ALL_DECISIONS = { sampling: 100, mask: [] }

/**
 * @param mode - in which it is to run
 * @returns the plugin with the candidate's module and configuration; one that takes part is itself in the
 *   candidate's place when that does not start. Undefined when the snapshot does not have the plugin
 */
export function candidatePlugin(
  { plugins }: Snapshot,
  { plugin, candidate, logOnly }: SnapshotRollout,
  mode: RolloutMode = 'enforce',
): SnapshotPlugin | undefined {
  const stable = plugins[plugin]
  if (stable === undefined) return undefined
  const { module, configuration, decisions = ALL_DECISIONS } = stable
  if (mode === 'enforce') return { ...stable, ...candidate, lastGood: [{ module, configuration }] }
  // in its place the stable version would be compared with itself
  const callouts = mode === 'shadow' ? 'replay' : (logOnly?.callouts ?? 'run')
  const apart = { callouts, compared: true } as const
  return { ...stable, ...candidate, lastGood: [], logOnly: apart, decisions }
}

/** All that a snapshot may start, by name: a candidate once, since it starts in one mode as in another. */
export function startable(snapshot: Snapshot): Readonly<Record<PluginId, SnapshotPlugin>> {
  const { plugins, rollouts } = snapshot
  if (rollouts === undefined) return plugins
  const candidates = rollouts.flatMap((rollout) => {
    const plugin = candidatePlugin(snapshot, rollout)
    return plugin === undefined ? [] : [[candidateName(rollout), plugin] as const]
  })
  return { ...plugins, ...Object.fromEntries(candidates) }
}
