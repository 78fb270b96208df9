/**
 * `postern rollout kill` and `unkill`: keeps a plugin's candidate off on some nodes, whatever its rollout
 * says, and takes that back.
 */
import type { CliIo } from '../cli-io.ts'
import { CommandError } from '../command-error.ts'
import { gatewayClient } from '../gateway-options.ts'
import { showRollouts } from './act.ts'
import { GATEWAY_OPTIONS, type Subcommand, subcommandLine } from './subcommand.ts'

const SELECTOR_HELP =
  '  --selector LABELS  nodes with these labels, as ring=1,country=de (default: all nodes)'

export const kill: Subcommand = {
  name: 'kill',
  operands: 'PLUGIN',
  about: "keep a plugin's candidate off, on all nodes or those of --selector",
  options: SELECTOR_HELP,
  run: (args, io) => turn(kill, true, args, io),
}

export const unkill: Subcommand = {
  name: 'unkill',
  operands: 'PLUGIN',
  about: 'take that back, with the same --selector',
  options: SELECTOR_HELP,
  run: (args, io) => turn(unkill, false, args, io),
}

async function turn(command: Subcommand, on: boolean, args: string[], io: CliIo): Promise<number> {
  const options = { ...GATEWAY_OPTIONS, selector: { type: 'string' } } as const
  const { values, name: plugin = '' } = subcommandLine(command, args, options)
  const selector = labelsOf(values.selector)
  const gateway = await gatewayClient(values, io)
  const request = { plugin, ...(selector && { selector }), on }
  return showRollouts(await gateway.killCandidate(request), values.json, io)
}

/** `ring=1,country=de` as an object. @throws CommandError for what is no label */
function labelsOf(text: string | undefined): Readonly<Record<string, string>> | undefined {
  if (text === undefined) return undefined
  const labels = text.split(',').map((label): [string, string] => {
    const [name = '', ...value] = label.split('=')
    if (name.trim() === '' || value.length === 0) {
      throw new CommandError('cli.usage', `--selector: ${label} is no label such as ring=1`)
    }
    return [name.trim(), value.join('=').trim()]
  })
  return Object.fromEntries(labels)
}
