/** What cannot be done with a rollout; the codes have their entries in docs/OPERATIONS.md. */

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
