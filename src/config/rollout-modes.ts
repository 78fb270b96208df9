/**
 * In which modes a candidate may run. A snapshot's steps say it, under its signature; what the key
 * `rollouts` says beyond them does not count.
 */
import { hasLabels } from './has-labels.ts'
import {
  ROLLOUT_MODES,
  type RolloutMode,
  type SnapshotRollout,
  type SnapshotRolloutStep,
} from './snapshot-rollout.ts'

/** A mode's place among them: what does more to requests has a greater one. */
export function rankOf(mode: RolloutMode): number {
  return ROLLOUT_MODES.indexOf(mode)
}

/** The mode of a step, which is its rollout's unless it says another. */
export function modeOf(
  { mode }: Pick<SnapshotRollout, 'mode'>,
  step: Pick<SnapshotRolloutStep, 'mode'> | undefined,
): RolloutMode {
  return step?.mode ?? mode
}

/**
 * @param labels - of a node
 * @returns those of the steps that are for the node, from the least on; none where no step is, or the
 *   rollout is for others
 */
export function modesOn(
  rollout: SnapshotRollout,
  labels: Readonly<Record<string, string>>,
): readonly RolloutMode[] {
  if (!hasLabels(rollout.selector, labels)) return []
  const own = rollout.steps.filter(({ selector }) => hasLabels(selector, labels))
  return ROLLOUT_MODES.filter((mode) => own.some((step) => modeOf(rollout, step) === mode))
}
