/**
 * `postern rollout`: starts, watches and stops what a PluginRollout says. The rollout itself is applied
 * like every other resource; here it is only set going. Its subcommands are in `rollout/`, a file each.
 */
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { GATEWAY_HELP } from './gateway-options.ts'
import { abort } from './rollout/abort.ts'
import { history } from './rollout/history.ts'
import { kill, unkill } from './rollout/kill.ts'
import { pause } from './rollout/pause.ts'
import { preview } from './rollout/preview.ts'
import { promote } from './rollout/promote.ts'
import { resume } from './rollout/resume.ts'
import { simulate } from './rollout/simulate.ts'
import { start } from './rollout/start.ts'
import { status } from './rollout/status.ts'
import { type Subcommand, subcommandHelp } from './rollout/subcommand.ts'

/** In the order in which help shows them. */
const SUBCOMMANDS: readonly Subcommand[] = [
  start,
  pause,
  resume,
  abort,
  promote,
  status,
  history,
  preview,
  kill,
  unkill,
  simulate,
]

const HELP = `postern rollout COMMAND [NAME] [options]

${SUBCOMMANDS.map(({ name, operands, about }) => `  ${`${name} ${operands}`.padEnd(18)} ${about}\n`).join('')}
NAME and PLUGIN are <namespace>.<name>; without a namespace it is default.
Run \`postern rollout COMMAND --help\` for one of them, with its own options.

${GATEWAY_HELP}
  --json             print the answer as JSON
  --help

Exit codes: 0 done, 1 refused or failed, 2 called wrongly; 3 status: a rollout was rolled back;
simulate: the versions differ.
`

/**
 * @param args after `rollout`
 * @returns the exit code
 * @throws CommandError for what is called wrongly, or what the subcommand throws
 */
export async function rollout(args: string[], io: CliIo): Promise<number> {
  const [first, ...rest] = args
  if (first === undefined || first === '--help' || first === '-h') {
    io.stdout(HELP)
    return first === undefined ? 2 : 0
  }
  const command = SUBCOMMANDS.find(({ name }) => name === first)
  if (command === undefined) {
    const names = SUBCOMMANDS.map(({ name }) => name).join(', ')
    const message = `There is no postern rollout ${first}; there are ${names}`
    throw new CommandError('cli.usage', message)
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.stdout(subcommandHelp(command))
    return 0
  }
  return command.run(rest, io)
}
