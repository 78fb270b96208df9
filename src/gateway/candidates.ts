/** The candidates of a snapshot that run on a node. */
import { candidateName, candidatePlugin } from '../config/candidate-plugins.ts'
import type { PluginId, Snapshot, SnapshotPlugin } from '../config/snapshot.ts'
import { type GatewayNode, hasLabels } from './node.ts'

/** @returns under which name each is brought up, and what as */
export function candidates(
  snapshot: Snapshot,
  { labels }: GatewayNode,
): readonly (readonly [PluginId, SnapshotPlugin])[] {
  return (snapshot.rollouts ?? []).flatMap((rollout) => {
    if (!hasLabels(rollout.selector, labels)) return []
    const plugin = candidatePlugin(snapshot, rollout)
    return plugin === undefined ? [] : [[candidateName(rollout), plugin] as const]
  })
}
