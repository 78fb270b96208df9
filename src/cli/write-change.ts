/**
 * What `apply` and `rollback` do once they know what they want: ask the gateway what would change, show
 * it, sign it, have it written, and wait until it runs. Nothing is written before all of that is sound.
 */
import type { ApplyResult, WriteRequest } from '../config/apply/apply-request.ts'
import { placeProblems } from '../config/documents.ts'
import type { PlacedResource } from '../config/documents.ts'
import type { PreflightResult } from '../config/preflight.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import type { GatewayClient } from './gateway-client.ts'
import { conflictError } from './conflict.ts'
import { refusedBy } from './policy-files.ts'
import { count, formatChanges, printProblems } from './print.ts'
import { startRefusal } from './start-refusal.ts'
import { waitForNodes, waitForRevision } from './wait-for-revision.ts'
import { signPlan } from './sign-plan.ts'
import { signingKey } from './write-options.ts'
import type { WriteOptions } from './write-options.ts'

export interface ChangeToWrite {
  readonly io: CliIo
  readonly gateway: GatewayClient
  readonly options: WriteOptions
  /** Where problems are placed. */
  readonly placed: readonly PlacedResource[]
  /** What to do when somebody else was first. */
  readonly again: string
  send(request: WriteRequest): Promise<ApplyResult>
}

type Accepted = Extract<ApplyResult, { result: 'applied' | 'planned' | 'unchanged' }>

/**
 * @returns the exit code
 * @throws CommandError for everything that keeps the change from being written or from running
 */
export async function writeChange(change: ChangeToWrite): Promise<number> {
  const { io, gateway, options } = change
  const key = await signingKey(options.sign, io)
  const { expiresIn } = options
  const expires =
    expiresIn === undefined ? {} : { expiresAt: new Date(Date.now() + expiresIn).toISOString() }
  const signing = key && { keyId: key.keyId, ...expires }
  const by = io.env['USER'] ?? io.env['USERNAME'] ?? ''
  const request = { by, why: options.why }
  const plan = await accepted(change, { ...request, base: 0, dryRun: true, signing })
  printProblems(io, placeProblems(plan.warnings, change.placed))
  if (plan.result === 'unchanged') return done(options, io, plan, 'Nothing changes')
  if (plan.result === 'applied') throw surprising(gateway)
  if (!options.json) {
    io.stdout(formatChanges(plan.changes))
    if (plan.changes.length === 0) io.stdout('Nothing changes but the revision.\n')
    io.stderr(saidAtStart(plan.preflight))
  }
  if (options.dryRun) return done(options, io, plan, 'Nothing was written')

  const pointer = key && (await signPlan(plan, key, signing?.expiresAt))
  const result = await accepted(change, { ...request, base: plan.base, dryRun: false, pointer })
  if (result.result === 'planned') throw surprising(gateway)
  const { revision } = result
  const signed = key === undefined ? '' : `, signed by ${key.keyId}`
  if (options.waitFor === 'nobody') {
    return done(options, io, result, `Revision ${revision} is written${signed}`)
  }
  const progress = (text: string): void => {
    if (!options.json) io.stderr(`${text}\n`)
  }
  progress(`Revision ${revision} is written${signed}; waiting for the gateway…`)
  const end = Date.now() + options.timeoutSeconds * 1000
  const wait = { revision, end, timeoutSeconds: options.timeoutSeconds, progress }
  const live = await waitForRevision(gateway, wait)
  const refusals = live.refusals.filter((refusal) => refusal.revision === revision)
  for (const { code, message } of refusals) io.stderr(`${gateway.name}: ${message} [${code}]\n`)
  const nodes = options.waitFor === 'nodes' ? await waitForNodes(gateway, wait) : undefined
  const where = nodes === undefined ? '' : onNodes(nodes.length)
  return done(
    options,
    io,
    { ...result, refusals, ...(nodes && { nodes }) },
    `Revision ${revision} runs at ${gateway.name}${where}`,
    refusals.length === 0 ? 0 : 1,
  )
}

/** @throws CommandError for every result that means that nothing was written */
async function accepted(change: ChangeToWrite, request: WriteRequest): Promise<Accepted> {
  const result = await change.send(request)
  switch (result.result) {
    case 'conflict':
      throw await conflictError(change.gateway, result.current, change.again)
    case 'failed':
      throw new CommandError(result.code, `The change could not be written: ${result.message}`)
    case 'refused':
      throw refusal(result, change.placed)
    default:
      return result
  }
}

function onNodes(number: number): string {
  return number === 0 ? '; no node has reported yet' : ` and on ${count(number, 'node')}`
}

/** What plugins logged while they were tried, though they start. */
function saidAtStart(preflight: readonly PreflightResult[] = []): string {
  const lines = preflight.flatMap(({ plugin, logs }) =>
    logs.length === 0 ? [] : [`${plugin} starts, and says:`, ...logs.map((line) => `    ${line}`)],
  )
  return lines.map((line) => `${line}\n`).join('')
}

/** What the gateway refused: problems of the resources, or plugins that did not start. */
export function refusal(
  { problems: found, preflight }: Extract<ApplyResult, { result: 'refused' }>,
  placed: readonly PlacedResource[],
): CommandError {
  const problems = placeProblems(found, placed)
  if (problems.some((problem) => problem.severity === 'error')) {
    return refusedBy(problems, 'The gateway refused it; nothing was written')
  }
  return startRefusal(preflight, 'Nothing was written')
}

export function surprising(gateway: GatewayClient): CommandError {
  return new CommandError(
    'gateway.bad_answer',
    `${gateway.name} answered something else than asked`,
  )
}

function done(
  options: WriteOptions,
  io: CliIo,
  result: object,
  text: string,
  exitCode = 0,
): number {
  const body = { ok: exitCode === 0, ...result }
  io.stdout(options.json ? `${JSON.stringify(body, null, 2)}\n` : `${text}.\n`)
  return exitCode
}
