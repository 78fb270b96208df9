/** What cannot be done with a rollout; the codes have their entries in docs/OPERATIONS.md. */
import { namespaceHint } from '../config/namespace-hint.ts'

export type RolloutErrorCode =
  | 'rollout.unknown'
  | 'rollout.not_applied'
  | 'rollout.not_complete'
  | 'rollout.wrong_phase'
  | 'rollout.nothing_to_do'
  | 'rollout.unknown_plugin'
  | 'rollout.not_killed'

export class RolloutError extends Error {
  override readonly name = 'RolloutError'
  readonly code: RolloutErrorCode

  constructor(code: RolloutErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** @param known - the rollouts that there are */
export function notApplied(id: string, known: readonly string[] = []): RolloutError {
  const message = `there is no PluginRollout ${id} in the active revision${namespaceHint(id, known)}`
  return new RolloutError('rollout.not_applied', message)
}

/** @param known - the rollouts that there are */
export function neverStarted(id: string, known: readonly string[] = []): RolloutError {
  return new RolloutError('rollout.unknown', `${id} was never started${namespaceHint(id, known)}`)
}
