/** The candidates of a snapshot that may run on a node. */
import { candidateName, candidatePlugin } from '../config/candidate-plugins.ts'
import { modesOn } from '../config/rollout-modes.ts'
import type { PluginId, Snapshot, SnapshotPlugin } from '../config/snapshot.ts'
import type { GatewayNode } from './node.ts'

/**
 * One for each mode in which its rollout may run it here; none starts before a request needs it.
 * @returns under which name each is brought up, and what as
 */
export function candidates(
  snapshot: Snapshot,
  { labels }: GatewayNode,
): readonly (readonly [PluginId, SnapshotPlugin])[] {
  return (snapshot.rollouts ?? []).flatMap((rollout) =>
    modesOn(rollout, labels).flatMap((mode) => {
      const plugin = candidatePlugin(snapshot, rollout, mode)
      return plugin === undefined ? [] : [[candidateName(rollout, mode), plugin] as const]
    }),
  )
}
