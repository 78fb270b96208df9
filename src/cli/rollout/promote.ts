/**
 * `postern rollout promote`: has the candidate become its plugin, as a new revision: its module and
 * configuration are written into the WasmPlugin, and the PluginRollout is taken out.
 */
import { gatewayClient } from '../gateway-options.ts'
import { writeChange } from '../write-change.ts'
import { WRITE_HELP, WRITE_OPTIONS, writeOptions } from '../write-options.ts'
import { usageError } from '../usage-error.ts'
import { type Subcommand, subcommandLine } from './subcommand.ts'

const OWN_OPTIONS = {
  by: { type: 'string' },
  force: { type: 'boolean' },
} as const

const OPTIONS_HELP = `  --force            also before its steps are done: all requests get the candidate at once
  --by NAME          who does it (default: the user of this machine)
${WRITE_HELP.replace(/\n {2}--json[^]*$/, '')}`

export const promote: Subcommand = {
  name: 'promote',
  operands: 'NAME',
  about: 'make the candidate the plugin, as a new revision',
  details: `Its url, sha256 and pluginConfig are written into the WasmPlugin of the active revision, the PluginRollout is
taken out, everything else stays. Requests that have the candidate keep it. Take the same into your files:
an apply that would bring the old version back is refused.`,
  options: OPTIONS_HELP,
  async run(args, io) {
    const { values, name = '' } = subcommandLine(promote, args, {
      ...WRITE_OPTIONS,
      ...OWN_OPTIONS,
    })
    const options = readOptions(values)
    const gateway = await gatewayClient(options, io)
    const { by, force = false } = values
    return writeChange({
      io,
      gateway,
      options,
      placed: [],
      again: 'See what runs with `postern rollout status`, then promote again.',
      send: (request) =>
        gateway.promote({ ...request, ...(by !== undefined && { by }), rollout: name, force }),
    })
  },
}

function readOptions(values: Parameters<typeof writeOptions>[0]): ReturnType<typeof writeOptions> {
  try {
    return writeOptions(values)
  } catch (error) {
    throw usageError(error)
  }
}
