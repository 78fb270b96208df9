/**
 * `postern status`: what a gateway runs, on which nodes, from which modules, and what is refused.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import type { StatusAnswer } from './gateway-client.ts'
import { gatewayClient, GATEWAY_HELP } from './gateway-options.ts'
import { formatStatus } from './print-status.ts'

/** KV shows a change everywhere within a minute, and a node looks every half. */
const GRACE_SECONDS = 90
const WATCH_MS = 2_000
/** Runs, but not what it should. */
const NOT_CURRENT = 3

const HELP = `postern status [options]

Shows what a gateway runs on its nodes and what they refuse.

${GATEWAY_HELP}
  --grace SECONDS    how long a node may be behind a new revision (default: ${GRACE_SECONDS})
  --watch            print again every two seconds, until all nodes run what is active
  --json             print the gateway's answer as JSON; with --watch the last one alone
  --help

Exit codes: 0 all nodes run what is active, 1 it runs nothing or did not answer, 2 called wrongly,
${NOT_CURRENT} a node refuses something, runs a last good version, or is behind for longer than --grace.
`

/**
 * @param args after `status`
 * @returns the exit code
 */
export async function status(args: string[], io: CliIo): Promise<number> {
  const options = parse(args)
  if (options.help) {
    io.stdout(HELP)
    return 0
  }
  const grace = Number(options.grace ?? GRACE_SECONDS)
  if (!(grace >= 0)) {
    throw new CommandError('cli.usage', `--grace ${options.grace ?? ''} is no number of seconds`)
  }
  const gateway = await gatewayClient(options, io)
  for (;;) {
    const answer = await gateway.status()
    const exitCode = exitCodeOf(answer, options.watch ? 0 : grace)
    const last = !options.watch || exitCode === 0
    if (!options.json) io.stdout(formatStatus(gateway.name, answer, Date.now()))
    else if (last) {
      const body = { ok: exitCode !== 1, current: exitCode === 0, ...answer }
      io.stdout(`${JSON.stringify(body, null, 2)}\n`)
    }
    if (last) return exitCode
    await sleep(WATCH_MS)
    if (!options.json) io.stdout('\n')
  }
}

function exitCodeOf({ origin, refused, nodes }: StatusAnswer, grace: number): number {
  if (origin === 'none') return 1
  const amiss = (nodes ?? []).some(
    ({ state, behind }) =>
      state === 'refused' || (state === 'behind' && behind !== null && behind.seconds >= grace),
  )
  return amiss || refused.length > 0 ? NOT_CURRENT : 0
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- parseArgs infers the values
function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        gateway: { type: 'string' },
        token: { type: 'string' },
        grace: { type: 'string' },
        watch: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    return values
  } catch (error) {
    throw new CommandError('cli.usage', error instanceof Error ? error.message : String(error))
  }
}
