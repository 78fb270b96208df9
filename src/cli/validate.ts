/**
 * `postern validate -f …`: everything that can be said about a policy without a gateway, all at once.
 */
import { parseArgs } from 'node:util'
import type { PlacedProblem } from '../config/documents.ts'
import { checkPolicy } from './check-policy.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { FILES_HELP } from './policy-files.ts'
import { count, countProblems, printProblems } from './print.ts'
import { usageError } from './usage-error.ts'

const HELP = `postern validate -f FILE_OR_FOLDER… [options]

Checks the resources in the files: every error at once, each with file, line, column, field and
what was expected; warnings for what is accepted and has no effect. It needs no gateway. Modules
are those that stand under plugins/ here; where there is none, they are not checked.

${FILES_HELP}
  --partial          the files are a part of what runs: a reference to a resource that is not in
                     them is a warning
  --strict           warnings are errors
  --json             print what was found as JSON
  --help

Exit codes: 0 no errors, 1 errors, 2 called wrongly.
`

interface ValidateOptions {
  readonly files: readonly string[]
  readonly partial: boolean
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
  const checked = await checkPolicy(options.files, options.partial, io)
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
  if (json) {
    io.stdout(`${JSON.stringify({ ok: true, ...checked }, null, 2)}\n`)
    return 0
  }
  printProblems(io, problems)
  if (!modulesChecked) io.stderr('There is no plugins/ here, so modules were not checked.\n')
  io.stdout(`${read}: ${countProblems(problems)}.\n`)
  return 0
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
        file: { type: 'string', short: 'f', multiple: true },
        partial: { type: 'boolean' },
        strict: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) return 'help'
    const files = [...(values.file ?? []), ...positionals]
    if (files.length === 0) throw new Error('Which files? postern validate -f FILE_OR_FOLDER')
    const { partial = false, strict = false, json = false } = values
    return { files, partial, strict, json }
  } catch (error) {
    throw usageError(error)
  }
}
