/**
 * `postern rollout kill` and `unkill`: keeps a plugin's candidate off on some nodes, whatever its rollout
 * says, and takes that back.
 */
import type { CliIo } from '../cli-io.ts'
import { gatewayClient } from '../gateway-options.ts'
import { showRollouts } from './act.ts'
import { labelsOf } from './labels-of.ts'
import {
  BY_HELP,
  BY_OPTION,
  GATEWAY_OPTIONS,
  type Subcommand,
  subcommandLine,
  whoDoes,
} from './subcommand.ts'

const OPTIONS_HELP = `  --selector LABELS  nodes with these labels, as ring=1,country=de (default: all nodes)
${BY_HELP}`

export const kill: Subcommand = {
  name: 'kill',
  operands: 'PLUGIN',
  about: "keep a plugin's candidate off, on all nodes or those of --selector",
  details: `PLUGIN is a WasmPlugin's name, not its rollout's. It counts with a node's next report, and until it is taken back:
for the rollouts that come after as well.`,
  options: OPTIONS_HELP,
  run: (args, io) => turn(kill, true, args, io),
}

export const unkill: Subcommand = {
  name: 'unkill',
  operands: 'PLUGIN',
  about: 'take that back, with the same --selector',
  options: OPTIONS_HELP,
  run: (args, io) => turn(unkill, false, args, io),
}

async function turn(command: Subcommand, on: boolean, args: string[], io: CliIo): Promise<number> {
  const options = { ...GATEWAY_OPTIONS, ...BY_OPTION, selector: { type: 'string' } } as const
  const { values, name: plugin = '' } = subcommandLine(command, args, options)
  const selector = labelsOf(values.selector, '--selector')
  const gateway = await gatewayClient(values, io)
  const request = { plugin, ...(selector && { selector }), on, by: whoDoes(values.by) }
  return showRollouts(await gateway.killCandidate(request), values.json, io)
}
