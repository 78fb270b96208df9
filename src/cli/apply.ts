/**
 * `postern apply -f …`: checks files, shows what would change, makes it so, and waits until the
 * gateway runs it. Everything that can be refused is refused before anything is written.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ApplyRequest, ApplyResult } from '../config/apply/apply-request.ts'
import { placeProblems, readDocuments } from '../config/documents.ts'
import type { PlacedProblem, PlacedResource } from '../config/documents.ts'
import type { Problem } from '../config/problem.ts'
import { checkCapabilities } from './check-capabilities.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import type { GatewayClient } from './gateway-client.ts'
import { gatewayClient, GATEWAY_HELP } from './gateway-options.ts'
import { localCatalog } from './local-catalog.ts'
import { count, formatChanges, printProblems } from './print.ts'
import { readFiles } from './read-files.ts'
import { resolveModules } from './resolve-modules.ts'
import { waitForRevision } from './wait-for-revision.ts'

const HELP = `postern apply -f FILE_OR_FOLDER… [options]

Checks the resources in the files, shows what changes, and makes it so. Resources that are
not in the files stay as they are.

  -f, --file PATH    a YAML or JSON file, or a folder of them; may be repeated
${GATEWAY_HELP}
  --dry-run          show what would change; write nothing
  --prune            drop every resource that is not in the files
  --why TEXT         kept with the revision
  --timeout SECONDS  how long to wait until the gateway runs it (default: 60; 0: do not wait)
  --json             print the result as JSON
  --help

Exit codes: 0 applied, planned or nothing to change; 1 refused or failed; 2 called wrongly.
`

interface Options {
  readonly files: readonly string[]
  readonly gateway: string | undefined
  readonly token: string | undefined
  readonly why: string
  readonly timeoutSeconds: number
  readonly dryRun: boolean
  readonly prune: boolean
  readonly json: boolean
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
  const placed = await readResources(options, io)
  const gateway = await gatewayClient(options, io)
  const resources = await bindModules(placed, gateway, io)
  const request = {
    resources,
    by: io.env['USER'] ?? io.env['USERNAME'] ?? '',
    why: options.why,
    prune: options.prune,
  }
  const plan = accepted(await gateway.apply({ ...request, base: 0, dryRun: true }), placed)
  warn(plan.warnings, placed, io)
  if (plan.result === 'unchanged') return done(options, io, plan, 'Nothing changes')
  if (plan.result === 'applied') throw surprising(gateway)
  if (!options.json) io.stdout(formatChanges(plan.changes))
  if (options.dryRun) return done(options, io, plan, 'Nothing was written')

  const result = accepted(
    await gateway.apply({ ...request, base: plan.base, dryRun: false }),
    placed,
  )
  if (result.result === 'planned') throw surprising(gateway)
  if (options.timeoutSeconds === 0) {
    return done(options, io, result, `Revision ${result.revision} is written`)
  }
  if (!options.json) io.stderr(`Revision ${result.revision} is written; waiting for the gateway…\n`)
  const live = await waitForRevision(gateway, result.revision, options.timeoutSeconds)
  const refusals = live.refusals.filter((refusal) => refusal.revision === result.revision)
  for (const { code, message } of refusals) io.stderr(`${gateway.name}: ${message} [${code}]\n`)
  return done(
    options,
    io,
    { ...result, refusals },
    `Revision ${result.revision} runs at ${gateway.name}`,
    refusals.length === 0 ? 0 : 1,
  )
}

/** Reads and checks the files. @throws CommandError with every problem of every file */
async function readResources(options: Options, io: CliIo): Promise<readonly PlacedResource[]> {
  const { files, problems: missing } = await readFiles(io.cwd, options.files)
  const read = readDocuments(files)
  const problems = [...missing, ...read.problems, ...checkCapabilities(read.resources)]
  const errors = problems.filter((problem) => problem.severity === 'error')
  if (errors.length > 0) throw refusedBy(problems, 'Nothing was written')
  if (read.resources.length === 0) {
    throw new CommandError('config.file_missing', `no resources in ${options.files.join(', ')}`)
  }
  // Warnings are printed once, with those of the gateway, which finds the same ones.
  return read.resources
}

async function bindModules(
  placed: readonly PlacedResource[],
  gateway: GatewayClient,
  io: CliIo,
): Promise<ApplyRequest['resources']> {
  const { modules } = await gateway.status()
  const local = await localCatalog(join(io.cwd, 'plugins'))
  const resolved = await resolveModules(placed, local, modules, io.cwd)
  if (resolved.problems.length > 0) throw refusedBy(resolved.problems, 'Nothing was written')
  return resolved.resources
}

type Accepted = Extract<ApplyResult, { result: 'applied' | 'planned' | 'unchanged' }>

/** @throws CommandError for every result that means that nothing was written */
function accepted(result: ApplyResult, placed: readonly PlacedResource[]): Accepted {
  switch (result.result) {
    case 'conflict': {
      const message = `Somebody else applied meanwhile: revision ${result.current} is active. Nothing was written`
      throw new CommandError('apply.conflict', message, { details: result })
    }
    case 'failed':
      throw new CommandError(result.code, `The change could not be written: ${result.message}`)
    case 'refused': {
      const problems = placeProblems(result.problems, placed)
      if (problems.some((problem) => problem.severity === 'error')) {
        throw refusedBy(problems, 'The gateway refused it; nothing was written')
      }
      const { preflight } = result
      const reasons = preflight.flatMap(({ plugin, reason, logs }) => [
        `${plugin} did not start: ${reason ?? 'no reason given'}`,
        ...logs.map((line) => `    ${line}`),
      ])
      const message = [...reasons, 'Nothing was written'].join('\n')
      throw new CommandError('plugin.preflight_refused', message, { details: { preflight } })
    }
    default:
      return result
  }
}

function refusedBy(problems: readonly PlacedProblem[], outcome: string): CommandError {
  const errors = problems.filter((problem) => problem.severity === 'error')
  const code = errors[0]?.code ?? 'config.invalid'
  return new CommandError(code, `${count(errors.length, 'error')}. ${outcome}`, { problems })
}

function surprising(gateway: GatewayClient): CommandError {
  return new CommandError(
    'gateway.bad_answer',
    `${gateway.name} answered something else than asked`,
  )
}

function warn(warnings: readonly Problem[], placed: readonly PlacedResource[], io: CliIo): void {
  printProblems(io, placeProblems(warnings, placed))
}

function done(options: Options, io: CliIo, result: object, text: string, exitCode = 0): number {
  const body = { ok: exitCode === 0, ...result }
  io.stdout(options.json ? `${JSON.stringify(body, null, 2)}\n` : `${text}.\n`)
  return exitCode
}

function parse(args: string[]): Options | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        file: { type: 'string', short: 'f', multiple: true },
        gateway: { type: 'string' },
        token: { type: 'string' },
        why: { type: 'string' },
        timeout: { type: 'string' },
        'dry-run': { type: 'boolean' },
        prune: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) return 'help'
    // `-f a b` names two files, as a shell's `-f policy/*.yaml` would.
    const files = [...(values.file ?? []), ...positionals]
    if (files.length === 0) throw new Error('Which files? postern apply -f FILE_OR_FOLDER')
    const timeoutSeconds = Number(values.timeout ?? '60')
    if (!(timeoutSeconds >= 0))
      throw new Error(`--timeout ${values.timeout} is no number of seconds`)
    return {
      files,
      gateway: values.gateway,
      token: values.token,
      why: values.why ?? '',
      timeoutSeconds,
      dryRun: values['dry-run'] ?? false,
      prune: values.prune ?? false,
      json: values.json ?? false,
    }
  } catch (error) {
    throw new CommandError('cli.usage', error instanceof Error ? error.message : String(error))
  }
}
