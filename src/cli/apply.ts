/**
 * `postern apply -f …`: checks files, shows what would change, makes it so, and waits until the
 * gateway runs it. Everything that can be refused is refused before anything is written.
 */
import { parseArgs } from 'node:util'
import { bindModules } from './bind-modules.ts'
import type { CliIo } from './cli-io.ts'
import { FILE_OPTIONS, namedFiles } from './file-options.ts'
import { gatewayClient, GATEWAY_HELP } from './gateway-options.ts'
import { FILES_HELP, soundPolicyFiles } from './policy-files.ts'
import { usageError } from './usage-error.ts'
import { writeChange } from './write-change.ts'
import { WRITE_HELP, WRITE_OPTIONS, writeOptions } from './write-options.ts'
import type { WriteOptions } from './write-options.ts'

const HELP = `postern apply -f FILE_OR_FOLDER… [options]

Checks the resources in the files, shows what changes, and makes it so. Resources that are
not in the files stay as they are.

${FILES_HELP}
${GATEWAY_HELP}
  --prune            drop every resource that is not in the files
  --force            also bring back the version that a promoted candidate replaced
${WRITE_HELP}

Exit codes: 0 applied, planned or nothing to change; 1 refused or failed; 2 called wrongly.
`

interface ApplyOptions extends WriteOptions {
  readonly files: readonly string[]
  readonly prune: boolean
  readonly force: boolean
}

/**
 * @param args after `apply`
 * @returns the exit code
 * @throws CommandError with everything that is wrong
 */
export async function apply(args: string[], io: CliIo): Promise<number> {
  const options = parse(args)
  if (options === 'help') {
    io.stdout(HELP)
    return 0
  }
  const { files, prune, force } = options
  const { resources: placed } = await soundPolicyFiles(files, io)
  const gateway = await gatewayClient(options, io)
  const resources = await bindModules(placed, gateway, io)
  return writeChange({
    io,
    gateway,
    options,
    placed,
    again: 'See what is left to change with `postern diff`, then apply again.',
    send: (request) => gateway.apply({ ...request, resources, prune, ...(force && { force }) }),
  })
}

function parse(args: string[]): ApplyOptions | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...WRITE_OPTIONS,
        ...FILE_OPTIONS,
        prune: { type: 'boolean' },
        force: { type: 'boolean' },
      },
    })
    if (values.help) return 'help'
    const files = namedFiles('apply', values, positionals)
    const { prune = false, force = false } = values
    return { ...writeOptions(values), files, prune, force }
  } catch (error) {
    throw usageError(error)
  }
}
