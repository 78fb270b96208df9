/**
 * A test file → its suite, or all that is wrong with it. Regular expressions are compiled here, so that
 * a bad one is an error of the file and not of a test.
 */
import { RE2JS } from 're2js'
import type { Message } from './fields.ts'
import { type FormatProblem, type MessageNode, SyntaxProblem } from './node.ts'
import { readMessage } from './read-message.ts'
import { parseTextProto } from './text-proto.ts'
import { parseYaml } from './yaml-source.ts'

export type Suite = Message<'TestSuite'>
export type SuiteTest = Message<'Test'>
export type Expectation = Message<'Expectation'>
export type Invocation = Message<'Invocation'>
export type StringMatcher = Message<'StringMatcher'>

export type SuiteResult =
  | { readonly ok: true; readonly suite: Suite }
  | { readonly ok: false; readonly problems: readonly FormatProblem[] }

/**
 * @param name - of the file: `.yaml`, `.yml` and `.json` are YAML, all else is text proto
 * @param text - of the file
 */
export function readSuite(name: string, text: string): SuiteResult {
  const yaml = /\.(ya?ml|json)$/i.test(name)
  let node: MessageNode
  try {
    node = yaml ? parseYaml(text) : parseTextProto(text)
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    return { ok: false, problems: [{ ...error.at, message: error.message }] }
  }
  const { message: suite, problems } = readMessage('TestSuite', node, { bareStrings: yaml })
  // what the table says is wrong may make the rest unreadable
  const all = problems.length > 0 ? problems : checkSuite(suite)
  if (all.length === 0) return { ok: true, suite }
  return { ok: false, problems: [...all].sort((a, b) => a.line - b.line || a.column - b.column) }
}

/** More contexts than any isolate has memory for; above it a mistyped number only fills memory. */
export const ADDITIONAL_STREAMS_MAX = 100_000

/** What the table of fields cannot say. */
function checkSuite(suite: Suite): FormatProblem[] {
  const problems: FormatProblem[] = []
  const { env } = suite
  if (env !== undefined && (env.num_additional_streams ?? 0) > ADDITIONAL_STREAMS_MAX) {
    const message = `num_additional_streams is at most ${ADDITIONAL_STREAMS_MAX}`
    problems.push({ ...env.at, message })
  }
  const names = new Map<string, number>()
  for (const test of suite.test) {
    const first = names.get(test.name)
    if (first !== undefined) {
      const message = `a test ${JSON.stringify(test.name)} is in line ${first} already`
      problems.push({ ...test.at, message })
    }
    names.set(test.name, test.at.line)
    problems.push(...checkTest(test))
  }
  return problems
}

function checkTest(test: SuiteTest): FormatProblem[] {
  const problems: FormatProblem[] = []
  const { num_chunks: chunks, chunk_size: size } = test
  for (const [name, count] of Object.entries({ num_chunks: chunks, chunk_size: size })) {
    if (count === undefined) continue
    if (count < 1) problems.push({ ...test.at, message: `${name} is at least 1` })
    // the plan cuts the whole body: there can be only one
    for (const field of ['request_body', 'response_body'] as const) {
      const second = test[field][1]
      if (second === undefined) continue
      problems.push({ ...second.at, message: `with ${name} there is one ${field} at the most` })
    }
  }
  for (const { input } of [...test.request_body, ...test.response_body]) {
    if (input === undefined || input.header.length === 0) continue
    problems.push({ ...input.at, message: 'the input of a body is content or file' })
  }
  const expectations = [test.plugin_init, test.stream_init, test.stream_destroy]
  const phases = [test.request_headers, test.response_headers]
  for (const phase of [...phases, ...test.request_body, ...test.response_body]) {
    expectations.push(phase?.result)
  }
  for (const expected of expectations) {
    if (expected === undefined) continue
    for (const matcher of [...expected.headers, ...expected.body, ...expected.log]) {
      problems.push(...checkRegex(matcher))
    }
  }
  return problems
}

function checkRegex({ regex, at }: StringMatcher): FormatProblem[] {
  if (regex === undefined) return []
  try {
    RE2JS.compile(regex)
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [{ ...at, message: `regex: ${reason}` }]
  }
}
