/** What cannot be done with a rollout; the codes have their entries in docs/OPERATIONS.md. */

const MESSAGES = {
  'rollout.unknown': 'there is no such rollout, or it was never started',
  'rollout.wrong_phase': 'that cannot be done in the phase it is in',
  'rollout.nothing_to_do': 'its plugin is the candidate already',
} as const

export type RolloutErrorCode = keyof typeof MESSAGES

export class RolloutError extends Error {
  override readonly name = 'RolloutError'
  readonly code: RolloutErrorCode

  constructor(code: RolloutErrorCode, about: string) {
    super(`${about}: ${MESSAGES[code]}`)
    this.code = code
  }
}
