/**
 * The files behind `--traffic` and `--callouts`: HAR or JSON Lines, which is seen from what they hold, gzip'd
 * or not. Every problem of every file is told at once, with its line.
 */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { LineCounter, parseDocument } from 'yaml'
import type { PlacedProblem } from '../../config/documents.ts'
import type { FieldPath } from '../../config/problem.ts'
import type { CalloutAnswer, RecordedExchange } from '../../simulate/traffic/exchange.ts'
import { readHar } from '../../simulate/traffic/har.ts'
import {
  readCallouts,
  readJsonLines,
  type TrafficProblem,
} from '../../simulate/traffic/json-lines.ts'
import { describeError } from '../../proxy-wasm/index.ts'
import { CommandError } from '../command-error.ts'
import { countProblems } from '../print.ts'
import { NotUtf8, utf8Text } from '../utf8-text.ts'

const CODE = 'simulate.traffic_invalid'
/** Unpacked, of one file: what a text can be and leave room for what is read from it. */
const MAX_BYTES = 256 * 1024 * 1024
/** Of all problems, so many are told. */
const TOLD = 50
/** A larger file is not read a second time for the lines of its problems. */
const PLACED_BYTES = 4 * 1024 * 1024

export interface Traffic {
  readonly exchanges: readonly RecordedExchange[]
  /** By what it is. */
  readonly leftOut: ReadonlyMap<string, number>
}

/**
 * @param cwd - where relative paths start
 * @throws CommandError with what is wrong in any of the files: then nothing is played
 */
export async function readTraffic(cwd: string, paths: readonly string[]): Promise<Traffic> {
  const exchanges: RecordedExchange[] = []
  const leftOut = new Map<string, number>()
  const problems: PlacedProblem[] = []
  for (const path of paths) {
    const text = await textOf(cwd, path)
    const read = isHar(path, text) ? readHarText(path, text) : readJsonLines(path, text)
    problems.push(...placed(path, read.problems))
    for (const exchange of read.exchanges) exchanges.push(exchange)
    for (const [what, count] of read.leftOut) leftOut.set(what, (leftOut.get(what) ?? 0) + count)
  }
  refuse(problems)
  return { exchanges, leftOut }
}

/** As `readTraffic`, for answers to callouts. */
export async function readCalloutFiles(
  cwd: string,
  paths: readonly string[],
): Promise<readonly CalloutAnswer[]> {
  const answers: CalloutAnswer[] = []
  const problems: PlacedProblem[] = []
  for (const path of paths) {
    const read = readCallouts(await textOf(cwd, path))
    answers.push(...read.exchanges)
    problems.push(...placed(path, read.problems))
  }
  refuse(problems)
  return answers
}

function refuse(problems: readonly PlacedProblem[]): void {
  if (problems.length === 0) return
  const more = problems.length > TOLD ? `; the first ${TOLD} are shown` : ''
  throw new CommandError(CODE, `${countProblems(problems)}${more}. Nothing was played`, {
    problems: problems.slice(0, TOLD),
  })
}

function placed(file: string, problems: readonly TrafficProblem[]): PlacedProblem[] {
  return problems.map(({ line, message }) => {
    const about = { code: CODE, severity: 'error', resource: '', path: [] } as const
    return { ...about, message, file, line, column: line === 0 ? 0 : 1 }
  })
}

async function textOf(cwd: string, path: string): Promise<string> {
  let bytes: Uint8Array
  try {
    const { size } = await stat(resolve(cwd, path))
    if (size > MAX_BYTES) throw new Error('it has more than 256 MiB')
    bytes = await readFile(resolve(cwd, path))
  } catch (error) {
    throw new CommandError('cli.file_missing', `${path} cannot be read: ${describeError(error)}`)
  }
  try {
    // https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
    return utf8Text(isGzip ? await promisify(gunzip)(bytes, { maxOutputLength: MAX_BYTES }) : bytes)
  } catch (error) {
    const line = error instanceof NotUtf8 ? error.line : 0
    const message =
      error instanceof NotUtf8 ? error.message : `it cannot be unpacked: ${describeError(error)}`
    return refuse(placed(path, [{ line, message }])) as never
  }
}

/** By its name, or as one object over several lines or with `log` begins; JSON Lines do not. */
function isHar(path: string, text: string): boolean {
  return /\.har(\.gz)?$/i.test(path) || /^\s*(\{\s*"log"\s*:|[{[]\s*\n)/.test(text)
}

function readHarText(
  name: string,
  text: string,
): Omit<ReturnType<typeof readJsonLines>, 'problems'> & { readonly problems: TrafficProblem[] } {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    const at = /line (\d+)/.exec(describeError(error))?.[1]
    const message = 'expected a HAR: one JSON object with log.entries'
    const problems = [{ line: at === undefined ? lineOfEnd(text) : Number(at), message }]
    return { exchanges: [], problems, leftOut: new Map() }
  }
  const { problems, ...read } = readHar(name, document)
  const lineOf = problems.length === 0 ? (): number => 0 : lineFinder(text)
  return {
    ...read,
    problems: problems.map(({ path, message }) => ({ line: lineOf(path), message })),
  }
}

function lineOfEnd(text: string): number {
  return text.trimEnd().split('\n').length
}

/** @returns finds the line of a field; 0 where the text is too long to look it up */
function lineFinder(text: string): (path: FieldPath) => number {
  if (text.length > PLACED_BYTES) return () => 0
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent' })
  return (path) => {
    // a field that is missing stands where it would have to be
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as
        | { range?: readonly number[] }
        | undefined
      const start = node?.range?.[0]
      if (start !== undefined) return lines.linePos(start).line
    }
    return 1
  }
}
