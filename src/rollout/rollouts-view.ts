/**
 * What people see of rollouts: the record, and for each that is in the active snapshot its steps, what the
 * analysis says of what is counted by now, and what it waits for. Made when somebody asks: none of it is kept.
 */
import type { RolloutMode } from '../config/snapshot-rollout.ts'
import type { LedRollout } from './active-versions.ts'
import type { Finding } from './analysis.ts'
import { type Outlook, outlookOf } from './outlook.ts'
import { modeOf } from '../config/rollout-modes.ts'
import type { RolloutsRecord } from './record.ts'
import type { RolloutState } from './state.ts'

interface StepView {
  readonly weight: number
  readonly mode: RolloutMode
  /** Labels of the nodes; absent: all of the audience's. */
  readonly selector?: Readonly<Record<string, string>>
}

export interface RolloutView {
  readonly plugin: string
  readonly steps: readonly StepView[]
  /** Labels of the nodes of the audience; absent: all. */
  readonly selector?: Readonly<Record<string, string>>
  /** Of the step under way; absent where there is no analysis, or nothing was counted yet. */
  readonly finding?: Finding
  readonly outlook: Outlook
  /** Whether its nodes hold rises back in windows of their own time. */
  readonly hasBlackout: boolean
}

export interface RolloutsView extends RolloutsRecord {
  /** Milliseconds since the Unix epoch, as are all of its times. */
  readonly now: number
  /** From the decision of a rise to its effect. */
  readonly riseLeadMs: number
  /** By rollout; those that are not in the active snapshot have none. */
  readonly views?: Readonly<Record<string, RolloutView>>
  /** Those of the active snapshot that were never started. */
  readonly notStarted?: readonly string[]
  /** Why there are no views. */
  readonly unseen?: string
}

/** @param isOff - whether its candidate is killed on all nodes */
export function rolloutView(
  rollout: LedRollout,
  state: RolloutState,
  finding: Finding | undefined,
  isOff: boolean,
  now: number,
  leadMs: number,
): RolloutView {
  const { plugin, steps, selector, blackout = [] } = rollout
  return {
    plugin,
    steps: steps.map((step): StepView => {
      const { weight, selector: nodes } = step
      const mode = modeOf(rollout, step)
      return nodes === undefined ? { weight, mode } : { weight, mode, selector: nodes }
    }),
    ...(selector && { selector }),
    ...(finding && { finding }),
    outlook: outlookOf(rollout, state, finding, isOff, now, leadMs),
    hasBlackout: blackout.length > 0,
  }
}
