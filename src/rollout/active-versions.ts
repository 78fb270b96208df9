/** What of the active snapshot a controller has to know. */
import type { Snapshot } from '../config/snapshot.ts'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'
import { pluginVersion } from '../config/plugin-version.ts'

/** Of a rollout, what says where it goes: not its candidate, nor who is of its audience. */
export type LedRollout = Omit<SnapshotRollout, 'candidate' | 'key' | 'matches' | 'always' | 'never'>

/** What a controller keeps of a rollout that is under way: a few hundred bytes. */
export interface KnownRollout {
  readonly rollout: LedRollout
  /** Which version the candidate is. */
  readonly candidate: string
}

/** A rollout of the active snapshot. */
export interface ActiveRollout extends KnownRollout {
  readonly rollout: SnapshotRollout
}

/** What was active when that could last be said, as far as rollouts under way need it. */
export interface KnownVersions {
  readonly revision: number
  readonly rollouts: readonly KnownRollout[]
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

/** @param ids - of the rollouts that are under way */
export function knownVersions(
  { revision, rollouts }: KnownVersions,
  ids: ReadonlySet<string>,
): KnownVersions {
  const led = rollouts.filter(({ rollout }) => ids.has(rollout.id))
  return {
    revision,
    rollouts: led.map(({ rollout, candidate }) => ({ rollout: ledRollout(rollout), candidate })),
  }
}

function ledRollout(rollout: LedRollout): LedRollout {
  const whole = rollout as SnapshotRollout
  const { candidate: _, key: _key, matches: _of, always: _in, never: _out, ...led } = whole
  return led
}
