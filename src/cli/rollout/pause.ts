/** `postern rollout pause`: keeps a rollout where it is. */
import { act } from './act.ts'
import { BY_HELP, type Subcommand } from './subcommand.ts'

export const pause: Subcommand = {
  name: 'pause',
  operands: 'NAME',
  about: 'keep the weight as it is',
  options: BY_HELP,
  run: (args, io) => act(pause, args, io),
}
