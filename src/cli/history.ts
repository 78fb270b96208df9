/**
 * `postern history`: the revisions there have been, the newest first: when, who, why, what changed.
 */
import { parseArgs } from 'node:util'
import type { History } from '../config/apply/history.ts'
import type { RevisionRecord } from '../config/apply/revision-record.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { gatewayClient, GATEWAY_HELP } from './gateway-options.ts'
import { changeSign, count, formatChanges, formatTable } from './print.ts'
import { usageError } from './usage-error.ts'

const HELP = `postern history [REVISION] [options]

Lists the revisions whose records are kept (the last 50), newest first; * is the active one.
With REVISION, that one alone, with all that it changed.

${GATEWAY_HELP}
  --json             print the records as JSON
  --help

Exit codes: 0 done, 1 there is no such revision, or failed, 2 called wrongly.
`

/**
 * @param args after `history`
 * @returns the exit code
 */
export async function history(args: string[], io: CliIo): Promise<number> {
  const { values, only } = parse(args)
  if (values.help) {
    io.stdout(HELP)
    return 0
  }
  const gateway = await gatewayClient(values, io)
  const answer = await gateway.history()
  const revisions = answer.revisions.filter(({ revision }) => (only ?? revision) === revision)
  const [first] = revisions
  if (only !== undefined && first === undefined) {
    const message = `${gateway.name} has no record of revision ${only}`
    throw new CommandError('rollback.unknown_revision', message)
  }
  if (values.json) {
    io.stdout(`${JSON.stringify({ ok: true, ...answer, revisions }, null, 2)}\n`)
  } else {
    io.stdout(only === undefined || first === undefined ? listed(answer) : whole(first))
  }
  return 0
}

function listed({ revision: active, revisions }: History): string {
  if (revisions.length === 0) return 'There is no revision yet.\n'
  const rows = revisions.map((record) => [
    `${record.revision === active ? '*' : ' '} ${record.revision}`,
    record.at,
    record.by || '-',
    record.snapshot.slice(0, 12),
    record.signature?.keyId ?? '-',
    summary(record),
    record.why,
  ])
  const heads = ['  REVISION', 'AT', 'BY', 'SNAPSHOT', 'SIGNED BY', 'CHANGED', 'WHY']
  return formatTable([heads, ...rows])
}

/** `~ plugin default.headers and 2 more`. */
function summary({ changes, changed = 0, rollbackTo }: RevisionRecord): string {
  const back = rollbackTo === undefined ? [] : [`back to ${rollbackTo}`]
  if (changes === undefined) return [...back, 'not recorded'].join(': ')
  const [first] = changes
  if (first === undefined) return [...back, 'nothing'].join(': ')
  const more = changed > 1 ? ` and ${changed - 1} more` : ''
  return [...back, `${changeSign(first)} ${first.what} ${first.name}${more}`].join(': ')
}

function whole(record: RevisionRecord): string {
  const { revision, at, by, why, snapshot, signature, expiresAt, changes, changed = 0 } = record
  const lines = [
    `revision ${revision}, ${at}, by ${by || 'somebody unnamed'}`,
    ...(why === '' ? [] : [`why: ${why}`]),
    ...(record.rollbackTo === undefined ? [] : [`back to revision ${record.rollbackTo}`]),
    `snapshot ${snapshot}`,
    ...(signature === undefined ? [] : [`signed by ${signature.keyId}`]),
    ...(expiresAt === undefined ? [] : [`to be taken until ${expiresAt}`]),
  ]
  const left = changed - (changes?.length ?? 0)
  const more = left > 0 ? `and ${count(left, 'change')} that were not recorded\n` : ''
  const what =
    changes === undefined ? 'What it changed was not recorded.\n' : formatChanges(changes)
  return `${lines.join('\n')}\n${what}${more}`
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- parseArgs infers the values
function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        gateway: { type: 'string' },
        token: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const [only, ...others] = positionals
    if (others.length > 0) throw new Error('One revision at the most: postern history REVISION')
    if (only !== undefined && !/^[1-9]\d{0,14}$/.test(only))
      throw new Error(`${only} is no revision`)
    return { values, only: only === undefined ? undefined : Number(only) }
  } catch (error) {
    throw usageError(error)
  }
}
