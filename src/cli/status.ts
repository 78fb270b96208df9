/**
 * `postern status`: what a gateway runs, from which modules, and what it refused.
 */
import { parseArgs } from 'node:util'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import type { StatusAnswer } from './gateway-client.ts'
import { gatewayClient, GATEWAY_HELP } from './gateway-options.ts'
import { formatTable } from './print.ts'

const HELP = `postern status [options]

Shows what a gateway runs and what it refused.

${GATEWAY_HELP}
  --json             print the gateway's answer as JSON
  --help

Exit codes: 0 it runs something, 1 it runs nothing or did not answer, 2 called wrongly.
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
  const gateway = await gatewayClient(options, io)
  const answer = await gateway.status()
  io.stdout(options.json ? `${JSON.stringify(answer, null, 2)}\n` : printed(gateway.name, answer))
  return answer.origin === 'none' ? 1 : 0
}

function printed(name: string, answer: StatusAnswer): string {
  const { revision, snapshot, issuedAt, origin, pending, plugins, refusals } = answer
  const numbered = revision === 0 ? `the ${origin} snapshot` : `revision ${revision}`
  const runs = origin === 'none' ? 'nothing: it has no configuration' : numbered
  const lines = [`${name} runs ${runs}${issuedAt ? `, issued ${issuedAt}` : ''}\n`]
  if (snapshot) lines.push(`snapshot ${snapshot}\n`)
  if (pending) lines.push(`revision ${pending.revision} is coming: its snapshot is not there yet\n`)
  if (plugins.length > 0) {
    const rows = plugins.map((plugin) => [
      plugin.id,
      [plugin.moduleName, plugin.moduleVersion].filter(Boolean).join(' '),
      plugin.module.slice(0, 12),
      plugin.vm,
      plugin.lastError ?? '',
    ])
    const heads = ['PLUGIN', 'MODULE', 'SHA256', 'VM', 'LAST ERROR']
    lines.push('\n', formatTable([heads, ...rows]))
  }
  if (refusals.length > 0) {
    const rows = refusals.map((refusal) => [
      refusal.at,
      refusal.revision === 0 ? '-' : String(refusal.revision),
      refusal.code,
      refusal.message,
    ])
    lines.push('\n', formatTable([['REFUSED AT', 'REVISION', 'CODE', 'WHY'], ...rows]))
  }
  return lines.join('')
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- parseArgs infers the values
function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        gateway: { type: 'string' },
        token: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    return values
  } catch (error) {
    throw new CommandError('cli.usage', error instanceof Error ? error.message : String(error))
  }
}
