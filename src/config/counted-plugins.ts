/** Of which plugins host calls and metrics are counted for each stream: those that are compared by them. */
import type { PluginId, Snapshot } from './snapshot.ts'
import type { SnapshotRollout } from './snapshot-rollout.ts'

/** Whether the analysis of a rollout asks for more of a plugin than how its requests were answered. */
export function looksInside({ analysis }: Pick<SnapshotRollout, 'analysis'>): boolean {
  return analysis?.metrics.some(({ name }) => name === 'traps' || isCounted(name)) === true
}

/** @returns the names that both sides have in the snapshot */
export function countedPlugins({ rollouts = [] }: Pick<Snapshot, 'rollouts'>): Set<PluginId> {
  const counted = rollouts.filter(
    ({ analysis }) => analysis?.metrics.some(({ name }) => isCounted(name)) === true,
  )
  return new Set(counted.map(({ plugin }) => plugin))
}

/** Whether a metric of an analysis needs the plugin's vms to be linked for it. */
export function isCounted(name: string): boolean {
  return name === 'host-calls' || name === 'plugin-metric'
}
