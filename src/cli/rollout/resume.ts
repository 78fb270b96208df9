/** `postern rollout resume`: goes on with a rollout that is paused. */
import { act } from './act.ts'
import { BY_HELP, type Subcommand } from './subcommand.ts'

export const resume: Subcommand = {
  name: 'resume',
  operands: 'NAME',
  about: 'go on with the step it was paused in',
  options: BY_HELP,
  run: (args, io) => act(resume, args, io),
}
