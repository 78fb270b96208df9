/** `postern rollout start`: begins a run of a rollout that is applied. */
import { act } from './act.ts'
import { BY_HELP, type Subcommand } from './subcommand.ts'

export const start: Subcommand = {
  name: 'start',
  operands: 'NAME',
  about: 'begin with the first step',
  details: `Of a rollout that is over it begins another run, in which other keys go first. A step takes effect when all
nodes can have read of it: the gateway answers how long that is (its RISE_LEAD_SECONDS).`,
  options: BY_HELP,
  run: (args, io) => act(start, args, io),
}
