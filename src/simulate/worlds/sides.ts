/**
 * The two snapshots of a simulation: as if the rollout had not begun, and as if it were at 100 per cent.
 */
import type { Snapshot, SnapshotPlugin } from '../../config/snapshot.ts'
import type { SnapshotRollout } from '../../config/snapshot-rollout.ts'
import type { Side } from '../../rollout/pick.ts'

const ALL_DECISIONS = { sampling: 100, mask: [] }

/**
 * @param rollout - one of the snapshot
 * @returns snapshots without rollouts, each with one of the versions. The plugin takes part in both, also
 *   one that is log-only, and nothing runs in its place where it does not start: what a version would do
 *   is what is asked for
 */
export function sidesOf(
  snapshot: Snapshot,
  rollout: SnapshotRollout,
): Readonly<Record<Side, Snapshot>> {
  const { rollouts: _rollouts, ...rest } = snapshot
  const plugin = snapshot.plugins[rollout.plugin] as SnapshotPlugin
  const { mode: _mode, logOnly: _logOnly, failOpenBudget: _budget, ...own } = plugin
  const stable = { ...own, lastGood: [] }
  const { module, moduleName, moduleVersion, configuration } = rollout.candidate
  const candidate = {
    ...stable,
    module,
    configuration,
    ...(moduleName !== undefined && { moduleName }),
    ...(moduleVersion !== undefined && { moduleVersion }),
  }
  const withVersion = (version: SnapshotPlugin): Snapshot => ({
    ...rest,
    plugins: Object.fromEntries(
      Object.values({ ...snapshot.plugins, [plugin.id]: version }).map((one) => [
        one.id,
        // what each decides is how a simulation hears that it failed or answered
        one.mode === undefined ? { ...one, decisions: ALL_DECISIONS } : one,
      ]),
    ),
  })
  return { stable: withVersion(stable), candidate: withVersion(candidate) }
}
