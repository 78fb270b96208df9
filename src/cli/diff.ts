/**
 * `postern diff -f …`: what an apply of these files would change, and nothing else. The gateway tries
 * the changed plugins too, so what would be refused is refused here.
 */
import { parseArgs } from 'node:util'
import { placeProblems } from '../config/documents.ts'
import { bindModules } from './bind-modules.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { FILE_OPTIONS, namedFiles } from './file-options.ts'
import { gatewayClient, GATEWAY_HELP } from './gateway-options.ts'
import { FILES_HELP, soundPolicyFiles } from './policy-files.ts'
import { count, formatChanges, printProblems } from './print.ts'
import { usageError } from './usage-error.ts'
import { refusal, surprising } from './write-change.ts'

/** There are changes. */
const CHANGES = 3

const HELP = `postern diff -f FILE_OR_FOLDER… [options]

Shows what would change if the files were applied: + added, - removed, ~ changed, with old
and new values. Of a plugin's configuration it shows where it differs; strings, which may be
keys, are not shown. Nothing is written.

${FILES_HELP}
${GATEWAY_HELP}
  --prune            as if every resource that is not in the files were dropped
  --json             print the changes as JSON
  --help

Exit codes: 0 nothing would change, 1 it would be refused, or failed, 2 called wrongly,
${CHANGES} there are changes.
`

interface DiffOptions {
  readonly files: readonly string[]
  readonly gateway: string | undefined
  readonly token: string | undefined
  readonly prune: boolean
  readonly json: boolean
}

/**
 * @param args after `diff`
 * @returns the exit code, which says whether there are changes
 * @throws CommandError with everything that is wrong
 */
export async function diff(args: string[], io: CliIo): Promise<number> {
  const options = parse(args)
  if (options === 'help') {
    io.stdout(HELP)
    return 0
  }
  const { files, prune, json } = options
  const { resources: placed } = await soundPolicyFiles(files, io)
  const gateway = await gatewayClient(options, io)
  const resources = await bindModules(placed, gateway, io)
  const request = { resources, prune, base: 0, by: '', why: '', dryRun: true }
  const plan = await gateway.apply(request)
  if (plan.result === 'refused') throw refusal(plan, placed)
  if (plan.result === 'failed') throw new CommandError(plan.code, plan.message)
  if (plan.result !== 'planned' && plan.result !== 'unchanged') throw surprising(gateway)
  printProblems(io, placeProblems(plan.warnings, placed))

  const changes = plan.result === 'planned' ? plan.changes : []
  const revision = plan.result === 'planned' ? plan.base : plan.revision
  const { snapshot, warnings } = plan
  // a plan without changes in words differs in what only a plugin that fails would show
  const same = plan.result === 'unchanged'
  if (json) {
    const body = { ok: true, changed: !same, revision, snapshot, changes, warnings }
    io.stdout(`${JSON.stringify(body, null, 2)}\n`)
  } else {
    const against = `revision ${revision} at ${gateway.name}`
    io.stdout(formatChanges(changes))
    io.stdout(
      same
        ? `Nothing differs from ${against}.\n`
        : `${count(changes.length, 'change')} to ${against}.\n`,
    )
  }
  return same ? 0 : CHANGES
}

function parse(args: string[]): DiffOptions | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...FILE_OPTIONS,
        gateway: { type: 'string' },
        token: { type: 'string' },
        prune: { type: 'boolean' },
      },
    })
    if (values.help) return 'help'
    const files = namedFiles('diff', values, positionals)
    const { gateway, token, prune = false, json = false } = values
    return { files, gateway, token, prune, json }
  } catch (error) {
    throw usageError(error)
  }
}
