/** The candidates of a snapshot as plugins, on the nodes that they go to. */
import type { PluginId, Snapshot, SnapshotPlugin } from '../config/snapshot.ts'
import { type GatewayNode, hasLabels } from './node.ts'
import { candidateName } from './rollout-sides.ts'

/**
 * @returns under which name each is brought up, and what as: the plugin with another module and
 *   configuration, whose place it takes itself when the candidate does not start
 */
export function candidates(
  { plugins, rollouts = [] }: Snapshot,
  { labels }: GatewayNode,
): readonly (readonly [PluginId, SnapshotPlugin])[] {
  return rollouts.flatMap((rollout) => {
    const stable = plugins[rollout.plugin]
    if (stable === undefined || !hasLabels(rollout.selector, labels)) return []
    const { module, configuration } = stable
    const candidate = { ...stable, ...rollout.candidate, lastGood: [{ module, configuration }] }
    return [[candidateName(rollout), candidate] as const]
  })
}
