/** What of the active snapshot a controller has to know. */
import type { Snapshot } from '../config/snapshot.ts'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'
import { pluginVersion } from '../config/plugin-version.ts'

/** A rollout of the active snapshot. */
export interface ActiveRollout {
  readonly rollout: SnapshotRollout
  /** Which version the candidate is. */
  readonly candidate: string
}

export interface ActiveVersions {
  /** Of the snapshot: a store may show an older one again. */
  readonly revision: number
  readonly rollouts: readonly ActiveRollout[]
  /** Which version each plugin is, by id. */
  readonly plugins: ReadonlyMap<string, string>
}

/** @param revision - that made the snapshot active */
export async function activeVersions(
  { rollouts = [], plugins }: Snapshot,
  revision: number,
): Promise<ActiveVersions> {
  const versions = Object.values(plugins).map(
    async (plugin) => [plugin.id, await pluginVersion(plugin)] as const,
  )
  const active = rollouts.map(async (rollout) => ({
    rollout,
    candidate: await pluginVersion(rollout.candidate),
  }))
  return {
    revision,
    rollouts: await Promise.all(active),
    plugins: new Map(await Promise.all(versions)),
  }
}
