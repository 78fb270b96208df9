/** `postern rollout abort`: ends a run. */
import { act } from './act.ts'
import { BY_HELP, type Subcommand } from './subcommand.ts'

export const abort: Subcommand = {
  name: 'abort',
  operands: 'NAME',
  about: 'make everybody stable, at once',
  options: BY_HELP,
  run: (args, io) => act(abort, args, io),
}
