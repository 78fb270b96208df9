/** `postern rollout start`: begins a run of a rollout that is applied. */
import { act } from './act.ts'
import { BY_HELP, type Subcommand } from './subcommand.ts'

export const start: Subcommand = {
  name: 'start',
  operands: 'NAME',
  about: 'begin with the first step',
  options: BY_HELP,
  run: (args, io) => act(start, args, io),
}
