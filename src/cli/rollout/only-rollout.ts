/** Of all that a gateway says of rollouts, what concerns one. */
import { CommandError } from '../command-error.ts'
import type { RolloutsAnswer } from '../rollouts-answer.ts'

/**
 * @param name undefined: all of them
 * @throws CommandError when it was never started
 */
export function onlyRollout(answer: RolloutsAnswer, name: string | undefined): RolloutsAnswer {
  if (name === undefined) return answer
  const state = answer.rollouts[name]
  if (state === undefined) {
    throw new CommandError('rollout.unknown', `${name} is no rollout that was ever started`)
  }
  const history = answer.history.filter(({ rollout }) => rollout === name)
  return { ...answer, rollouts: { [name]: state }, history }
}
