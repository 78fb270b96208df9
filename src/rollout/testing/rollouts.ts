/** A rollout that tests begin from: complete, and what a test gives replaces its members. */
import type { SnapshotRollout } from '../../config/snapshot-rollout.ts'

export const MINUTE = 60_000

export function snapshotRollout(spec: Partial<SnapshotRollout> = {}): SnapshotRollout {
  return {
    id: 'default.pricing-1.1',
    plugin: 'default.pricing',
    candidate: { module: 'b'.repeat(64), configuration: '' },
    mode: 'enforce',
    key: { type: 'clientIp' },
    steps: [
      { weight: 5, pauseMs: 10 * MINUTE },
      { weight: 50, pauseMs: 10 * MINUTE, passesWithinMs: 60 * MINUTE },
      { weight: 100, pauseMs: 10 * MINUTE },
    ],
    analysis: {
      metrics: [{ name: 'server-errors', maxIncrease: 0.01 }],
      minSamples: 100,
      alpha: 0.01,
    },
    onFailure: 'rollback',
    ...spec,
  }
}
