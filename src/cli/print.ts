/**
 * How commands print: problems a line each in the form editors jump to, changes as a list, tables.
 * Errors say what happened and then what to do.
 */
import type { Change } from '../config/apply/diff.ts'
import type { PlacedProblem } from '../config/documents.ts'
import { ERROR_CODES } from '../config/error-codes.ts'
import { formatPath } from '../config/problem.ts'
import type { CliIo } from './cli-io.ts'
import type { CommandError } from './command-error.ts'

/** Prints why a command ended: as text on stderr, or as JSON on stdout. */
export function printError(io: CliIo, error: CommandError, json: boolean): void {
  const { code, message, problems, details } = error
  const { fault, next } = ERROR_CODES[code]
  if (json) {
    const body = { ok: false, error: { code, fault, message, next }, problems, ...details }
    io.stdout(`${JSON.stringify(body, null, 2)}\n`)
    return
  }
  printProblems(io, problems)
  io.stderr(`${message} [${code}]\n${next}\n`)
}

/** A line per problem: `policy.yaml:12:3: error: spec.priorty: … [config.unknown_field]`. */
export function printProblems(io: CliIo, problems: readonly PlacedProblem[]): void {
  for (const problem of problems) {
    const { file, line, column, severity, resource, path, message, code } = problem
    // A resource that is in none of the files is named instead of a place.
    const place = file === '' ? resource : line === 0 ? file : `${file}:${line}:${column}`
    const parts = [place, severity, formatPath(path), message].filter((part) => part !== '')
    io.stderr(`${parts.join(': ')} [${code}]\n`)
  }
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const

/** `+`, `-` or `~`. */
export function changeSign({ how }: Pick<Change, 'how'>): string {
  return SIGNS[how]
}

/** What changes, as a list. */
export function formatChanges(changes: readonly Change[]): string {
  return changes
    .map(({ how, what, name, details }) =>
      [`${SIGNS[how]} ${what} ${name}`, ...details.map((detail) => `    ${detail}`), ''].join('\n'),
    )
    .join('')
}

/** Columns as wide as they have to be, two spaces between them. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length)
    }
  }
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

const WIDTH = 100

/** One paragraph, broken at spaces. @param rest - indents every line but the first */
export function wrapped(text: string, first: string, rest: string): string {
  const lines: string[] = []
  let line = first
  for (const word of text.split(' ')) {
    const indented = line === first || line === rest
    if (!indented && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = rest + word
    } else line += indented ? word : ` ${word}`
  }
  return [...lines, line].map((one) => `${one}\n`).join('')
}

/** `2 errors`, `1 error, 2 warnings`. */
export function countProblems(problems: readonly { readonly severity: string }[]): string {
  const warnings = problems.filter(({ severity }) => severity === 'warning').length
  const errors = problems.length - warnings
  return [count(errors, 'error'), ...(warnings > 0 ? [count(warnings, 'warning')] : [])].join(', ')
}

/** `1 plugin`, `2 plugins`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
