/** Of all that a gateway says of rollouts, what concerns one. */
import { namespaceHint } from '../../config/namespace-hint.ts'
import { CommandError } from '../command-error.ts'
import type { RolloutsAnswer } from '../rollouts-answer.ts'

/**
 * @param name undefined: all of them
 * @throws CommandError when it is neither applied nor was ever started
 */
export function onlyRollout(answer: RolloutsAnswer, name: string | undefined): RolloutsAnswer {
  if (name === undefined) return answer
  const state = answer.rollouts[name]
  const notStarted = answer.notStarted?.filter((one) => one === name) ?? []
  if (state === undefined) {
    if (notStarted.length > 0) return { ...answer, rollouts: {}, notStarted, history: [] }
    const message = `${name} is no rollout of the active revision, and none was ever started under this name`
    const known = [...Object.keys(answer.rollouts), ...(answer.notStarted ?? [])]
    throw new CommandError('rollout.unknown', message + namespaceHint(name, known))
  }
  const history = answer.history.filter(({ rollout }) => rollout === name)
  return { ...answer, rollouts: { [name]: state }, notStarted, history }
}
