/** Whether a candidate may become its plugin: when its steps are done and nobody has killed it, or somebody insists. */
import type { PromotionLeave } from '../config/apply/apply-request.ts'
import { modeOf } from '../config/rollout-modes.ts'
import type { RolloutMode } from '../config/snapshot-rollout.ts'
import type { ActiveRollout } from './active-versions.ts'
import { whereOff } from './kill-reach.ts'
import type { Kill } from './record.ts'
import { neverStarted, notApplied, RolloutError } from './rollout-error.ts'
import type { RolloutState } from './state.ts'

/**
 * @param state - where the rollout is; undefined when it was never started
 * @param active - what of it is in the active snapshot
 * @param kills - of all plugins
 * @param force - also before its steps are done, and where it is killed
 * @param now - milliseconds since the Unix epoch
 * @throws RolloutError for why not
 */
export function promotionOf(
  id: string,
  state: RolloutState | undefined,
  active: ActiveRollout | undefined,
  kills: readonly Kill[],
  force: boolean,
  now: number,
): PromotionLeave {
  if (state === undefined) throw neverStarted(id)
  const { phase, reason, run } = state
  if (phase === 'promoted') {
    throw new RolloutError('rollout.nothing_to_do', `${id} is promoted: ${reason}`)
  }
  if (phase === 'rolled-back') {
    const message = `${id} is rolled back (${reason}): its candidate has no requests; start it again`
    throw new RolloutError('rollout.wrong_phase', message)
  }
  if (active === undefined) throw notApplied(id)
  if (active.candidate !== state.candidate) {
    const message = `the candidate of ${id} is another one than the one that was started: start it again`
    throw new RolloutError('rollout.wrong_phase', message)
  }
  const off = whereOff(kills, active.rollout.plugin)
  const killed = off && `the candidate of ${active.rollout.plugin} is off on ${off}`
  if (killed !== undefined && !force) {
    const message = `${killed}, where somebody killed it. Promoted, it runs there as well`
    throw new RolloutError('rollout.not_complete', message)
  }
  const far = howFar(state, active, now)
  if (far !== undefined && phase !== 'complete' && !force) {
    throw new RolloutError(
      'rollout.not_complete',
      `${far}. Promoted, it gets all requests of the plugin at once`,
    )
  }
  // steps that are done in another mode than enforce have not let it answer anybody
  if (phase === 'complete' && modeNow(state, active) !== 'enforce' && !force) {
    const message = `${far}. Promoted, it answers requests for the first time, and all of them`
    throw new RolloutError('rollout.not_complete', message)
  }
  const leave = { rollout: id, run, version: active.candidate }
  const warnings = [killed, far].filter((one) => one !== undefined)
  return warnings.length === 0
    ? leave
    : {
        ...leave,
        warning: `${warnings.join('; ')}; promoted, it gets all requests of the plugin at once`,
      }
}

/** @returns what is left to do in words; undefined when every request has the candidate */
function howFar(state: RolloutState, active: ActiveRollout, now: number): string | undefined {
  const { id, steps, matches, selector, never } = active.rollout
  const { phase, step, moves } = state
  const mode = modeNow(state, active)
  const last = moves.findLast(({ effectiveAt }) => effectiveAt <= now)
  const { weight } = last ?? { weight: 0 }
  const everybody = [matches, selector, never, last?.selector].every((one) => one === undefined)
  const isDone = phase === 'complete'
  if (isDone && weight === 100 && mode === 'enforce' && everybody) return undefined
  const far = isDone ? 'complete' : `${phase}, ${step + 1} of ${steps.length} steps begun`
  const whose = everybody ? 'all requests' : 'the requests of its audience'
  const has =
    mode === 'enforce'
      ? `its candidate has ${weight} % of ${whose}`
      : `its candidate runs as ${mode}, and has answered nobody`
  return `${id} is ${far}: ${has}`
}

/** Of the step under way: modes never go back. */
function modeNow({ step }: RolloutState, { rollout }: ActiveRollout): RolloutMode {
  return modeOf(rollout, rollout.steps[step])
}
