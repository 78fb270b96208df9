/** Compares what a phase came to with what a test expects of it. */
import type { HeaderMap, LocalReply } from '../../proxy-wasm/index.ts'
import type { Message, Place } from '../format/fields.ts'
import type { Expectation } from '../format/read-suite.ts'
import { matchString, shown } from './match-string.ts'
import type { Outcome } from './outcome.ts'
import type { ReadFile } from './test-files.ts'

/** What is not as it was expected, with the place of the expectation. */
export interface Mismatch extends Place {
  readonly message: string
}

/**
 * @param expected - of a phase with output
 * @returns every expectation that does not hold
 */
export async function checkOutcome(
  expected: Expectation,
  outcome: Outcome,
  readFile: ReadFile,
): Promise<Mismatch[]> {
  const found: Mismatch[] = []
  const { headers, body, reply } = outcome
  for (const header of expected.has_header) {
    const message = missing(headers, header)
    if (message !== undefined) found.push({ ...header.at, message })
  }
  for (const { key, at } of expected.no_header) {
    const value = headers?.get(key.toLowerCase())
    if (value === undefined) continue
    found.push({ ...at, message: `no_header ${key}: found ${shown(value)}` })
  }
  for (const matcher of expected.headers) {
    const message = await matchString(matcher, headerLines(headers), 'headers', readFile)
    if (message !== undefined) found.push({ ...matcher.at, message })
  }
  for (const matcher of expected.body) {
    const message = await matchString(matcher, [body], 'body', readFile)
    if (message !== undefined) found.push({ ...matcher.at, message })
  }
  for (const message of immediate(expected.immediate, reply)) {
    found.push({ ...(expected.immediate?.at ?? expected.at), message })
  }
  return [...found, ...(await checkLog(expected, outcome.log, readFile))]
}

/** The log alone: what counts for a plugin's and a stream's beginning and end. */
export async function checkLog(
  expected: Expectation,
  log: readonly string[],
  readFile: ReadFile,
): Promise<Mismatch[]> {
  const found: Mismatch[] = []
  for (const matcher of expected.log) {
    const message = await matchString(matcher, log, 'log', readFile)
    if (message !== undefined) found.push({ ...matcher.at, message })
  }
  return found
}

/** One line of that name has the value, or all lines together, joined as a list. */
function missing(
  headers: HeaderMap | undefined,
  { key, value = '' }: Message<'Header'>,
): string | undefined {
  const values = headers?.getAll(key.toLowerCase()) ?? []
  if (values.includes(value) || (values.length > 1 && values.join(', ') === value)) return undefined
  const there = values.length === 0 ? 'there is none' : `found ${values.map(shown).join(', ')}`
  return `has_header ${key}: expected ${shown(value)}, ${there}`
}

function headerLines(headers: HeaderMap | undefined): string[] {
  const found: string[] = []
  const lines = headers?.lines ?? []
  for (let i = 0; i < lines.length; i += 2) found.push(`${lines[i]}: ${lines[i + 1]}`)
  return found
}

function immediate(
  expected: Message<'Immediate'> | undefined,
  reply: LocalReply | undefined,
): string[] {
  if (expected === undefined) {
    if (reply === undefined) return []
    return [`the plugin answered with ${reply.status} (${reply.details}), which was not expected`]
  }
  if (reply === undefined) return ['immediate: the plugin did not answer']
  const found: string[] = []
  const { http_status: status, grpc_status: grpc, details } = expected
  if (status !== reply.status) {
    found.push(`immediate: expected http_status ${status}, found ${reply.status}`)
  }
  if (grpc !== undefined && grpc !== reply.grpcStatus) {
    found.push(`immediate: expected grpc_status ${grpc}, found ${reply.grpcStatus ?? 'none'}`)
  }
  // hosts write them into logs as one word
  if (details !== undefined && details.replaceAll(/\s/g, '_') !== reply.details) {
    found.push(
      `immediate: expected details ${JSON.stringify(details)}, found ${JSON.stringify(reply.details)}`,
    )
  }
  return found
}
