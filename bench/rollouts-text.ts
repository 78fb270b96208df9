/** What the rollout object would have published: a run of a rollout whose weight counts already. */
import type { SnapshotRollout } from '../src/config/snapshot-rollout.ts'
import { pluginVersion } from '../src/config/plugin-version.ts'
import type { RolloutsDocument } from '../src/rollout/record.ts'

/** @param weight - per cent; @returns the value of the key `rollouts` */
export async function rolloutsText(rollout: SnapshotRollout, weight: number): Promise<string> {
  const document: RolloutsDocument = {
    version: 1,
    rollouts: {
      [rollout.id]: {
        run: 1,
        candidate: await pluginVersion(rollout.candidate),
        phase: 'running',
        reason: 'for the benchmark',
        moves: [{ effectiveAt: 0, weight, mode: rollout.mode }],
      },
    },
    kills: [],
  }
  return JSON.stringify(document)
}
