/** String matchers: exact, by file, or by a regular expression that must match the whole text (RE2). */
import { RE2JS } from 're2js'
import { byteStringToText, bytesToByteString } from '../../proxy-wasm/memory/byte-string.ts'
import type { StringMatcher } from '../format/read-suite.ts'
import type { ReadFile } from './test-files.ts'

/**
 * @param found - byte strings: the lines of a log, of headers, or one body
 * @param what - of what they are, for the message
 * @returns what is wrong, or undefined
 */
export async function matchString(
  matcher: StringMatcher,
  found: readonly string[],
  what: string,
  readFile: ReadFile,
): Promise<string | undefined> {
  const { invert = false, exact, regex, file } = matcher
  const expected = file === undefined ? exact : bytesToByteString(await readFile(file))
  const pattern = regex === undefined ? undefined : RE2JS.compile(regex)
  const matches = (text: string): boolean =>
    pattern === undefined ? text === expected : pattern.matcher(byteStringToText(text)).matches()
  if (found.some(matches) !== invert) return undefined
  const wanted = regex === undefined ? shown(expected ?? '') : `a match of /${shortened(regex)}/`
  const source = file === undefined ? '' : ` (${file})`
  if (invert) return `${what}: ${wanted}${source} was not expected`
  const there = found.length === 0 ? 'there is none' : `found ${listed(found)}`
  return `${what}: expected ${wanted}${source}, ${there}`
}

const MAX_SHOWN = 200
const MAX_LISTED = 5

/** A byte string in quotes, not too long. */
export function shown(bytes: string): string {
  return JSON.stringify(shortened(byteStringToText(bytes)))
}

function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

function listed(found: readonly string[]): string {
  const more = found.length > MAX_LISTED ? ` and ${found.length - MAX_LISTED} more` : ''
  return found.slice(0, MAX_LISTED).map(shown).join(', ') + more
}
