/**
 * `postern rollback [REVISION]`: makes a new revision of an old snapshot. What that needs must still be
 * there, and its plugins are tried again before anything is written.
 */
import { parseArgs } from 'node:util'
import type { CliIo } from './cli-io.ts'
import { gatewayClient, GATEWAY_HELP } from './gateway-options.ts'
import { usageError } from './usage-error.ts'
import { writeChange } from './write-change.ts'
import { WRITE_HELP, WRITE_OPTIONS, writeOptions } from './write-options.ts'
import type { WriteOptions } from './write-options.ts'

const HELP = `postern rollback [REVISION] [options]

Makes what ran as REVISION run again, as a new revision; without REVISION, what ran before the
active one. \`postern history\` lists them. Files are left alone: apply the old ones, too, or
the next apply brings the change back.

${GATEWAY_HELP}
${WRITE_HELP}

Exit codes: 0 done, planned or nothing to change; 1 refused or failed; 2 called wrongly.
`

interface RollbackOptions extends WriteOptions {
  readonly to: number | undefined
}

/**
 * @param args after `rollback`
 * @returns the exit code
 * @throws CommandError with everything that is in the way
 */
export async function rollback(args: string[], io: CliIo): Promise<number> {
  const options = parse(args)
  if (options === 'help') {
    io.stdout(HELP)
    return 0
  }
  const gateway = await gatewayClient(options, io)
  const { to } = options
  return writeChange({
    io,
    gateway,
    options,
    placed: [],
    again: 'See what runs with `postern history`, then roll back again.',
    send: (request) => gateway.rollback({ ...request, to }),
  })
}

function parse(args: string[]): RollbackOptions | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: WRITE_OPTIONS,
    })
    if (values.help) return 'help'
    const [to, ...others] = positionals
    if (others.length > 0) throw new Error('One revision at the most: postern rollback REVISION')
    if (to !== undefined && !/^[1-9]\d{0,14}$/.test(to)) throw new Error(`${to} is no revision`)
    return { ...writeOptions(values), to: to === undefined ? undefined : Number(to) }
  } catch (error) {
    throw usageError(error)
  }
}
