/**
 * `postern validate -f …`: everything that can be said about a policy without a gateway, all at once.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { PlacedProblem } from '../config/documents.ts'
import { checkPolicy } from './check-policy.ts'
import type { CheckedPolicy } from './check-policy.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { FILE_OPTIONS, namedFiles } from './file-options.ts'
import { FILES_HELP } from './policy-files.ts'
import { count, countProblems, printProblems } from './print.ts'
import { ROOT_NAMESPACE_HELP, rootNamespace } from './root-namespace.ts'
import { startRefusal } from './start-refusal.ts'
import { tryPlugins } from './try-plugins.ts'
import { usageError } from './usage-error.ts'

const HELP = `postern validate -f FILE_OR_FOLDER… [options]

Checks the resources in the files: every error at once, each with file, line, column, field and
what was expected; warnings for what is accepted and has no effect. It needs no gateway. Modules
are those that stand under plugins/ here; where there is none, they are not checked.

${FILES_HELP}
  --try              start every plugin here, with its configuration, as a gateway would
  --partial          the files are a part of what runs: a reference to a resource that is not in
                     them is a warning
${ROOT_NAMESPACE_HELP}
  --strict           warnings are errors
  --json             print what was found as JSON
  --help

Exit codes: 0 no errors, 1 errors, 2 called wrongly.
`

interface ValidateOptions {
  readonly files: readonly string[]
  readonly partial: boolean
  readonly root: string | undefined
  readonly tries: boolean
  readonly strict: boolean
  readonly json: boolean
}

/**
 * @param args after `validate`
 * @returns the exit code
 * @throws CommandError with everything that is wrong
 */
export async function validate(args: string[], io: CliIo): Promise<number> {
  const options = parse(args)
  if (options === 'help') {
    io.stdout(HELP)
    return 0
  }
  const { strict, json } = options
  const root = await rootNamespace(options.root, io)
  const checked = await checkPolicy(options.files, options.partial, root, io)
  const { files, resources, modulesChecked, referencesChecked } = checked
  const problems = strict ? checked.problems.map(asError) : checked.problems
  const read = `${count(files, 'file')}, ${count(resources, 'resource')}`
  if (problems.some(({ severity }) => severity === 'error')) {
    const code = problems.find(({ severity }) => severity === 'error')?.code ?? 'config.invalid'
    const message = `${countProblems(problems)} in ${read}`
    const details = { files, resources, modulesChecked, referencesChecked }
    if (!referencesChecked && !json) {
      io.stderr('Not everything could be read, so references were not checked.\n')
    }
    throw new CommandError(code, message, { problems, details })
  }
  if (resources === 0) {
    throw new CommandError('config.file_missing', `no resources in ${options.files.join(', ')}`)
  }
  if (options.tries) await tryHere(checked, io)
  if (json) {
    const found = { problems, files, resources, modulesChecked, referencesChecked }
    io.stdout(`${JSON.stringify({ ok: true, ...found }, null, 2)}\n`)
    return 0
  }
  printProblems(io, problems)
  if (!modulesChecked) io.stderr('There is no plugins/ here, so modules were not checked.\n')
  io.stdout(`${read}: ${countProblems(problems)}.\n`)
  return 0
}

/** @throws CommandError with the plugins that do not start, and what they logged */
async function tryHere({ snapshot, modulesChecked }: CheckedPolicy, io: CliIo): Promise<void> {
  if (snapshot === undefined || !modulesChecked) {
    const why = modulesChecked ? 'the files are not all that runs' : 'there is no plugins/ here'
    io.stderr(`Plugins were not tried: ${why}.\n`)
    return
  }
  const failed = await tryPlugins(snapshot, join(io.cwd, 'plugins')).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError('cli.module_refused', reason)
  })
  if (failed.length === 0) return
  throw startRefusal(failed, `${count(failed.length, 'plugin')} did not start`)
}

function asError(problem: PlacedProblem): PlacedProblem {
  return Object.assign({}, problem, { severity: 'error' as const })
}

function parse(args: string[]): ValidateOptions | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...FILE_OPTIONS,
        partial: { type: 'boolean' },
        'root-namespace': { type: 'string' },
        try: { type: 'boolean' },
        strict: { type: 'boolean' },
      },
    })
    if (values.help) return 'help'
    const files = namedFiles('validate', values, positionals)
    const { partial = false, try: tries = false, strict = false, json = false } = values
    return { files, partial, root: values['root-namespace'], tries, strict, json }
  } catch (error) {
    throw usageError(error)
  }
}
