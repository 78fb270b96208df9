/** The matches of a rule in the form in which they are compared, their regular expressions tried. */
import type { FieldPath } from '../problem.ts'
import { PatternError } from '../regex/pattern.ts'
import { LinearRegex } from '../regex/linear-regex.ts'
import type { HttpRouteMatch, HttpRouteRule } from '../resources/http-route.ts'
import type { PathMatch, RouteMatch, ValueMatch } from '../snapshot.ts'

/** @param path from the top of the resource */
type Say = (path: FieldPath, message: string) => void

/**
 * @param at where the rule stands
 * @param invalid takes regular expressions that cannot be run
 */
export function compileMatches(
  { matches = [{}] }: HttpRouteRule,
  at: FieldPath,
  invalid: Say,
): readonly RouteMatch[] {
  // Gateway API: a rule without matches, also by an empty list, matches everything
  const all: readonly HttpRouteMatch[] = matches.length === 0 ? [{}] : matches
  return all.map(({ path, method, headers = [], queryParams = [] }, index): RouteMatch => {
    const here = [...at, 'matches', index]
    const { type = 'PathPrefix', value = '/' } = path ?? {}
    if (type === 'RegularExpression') tryPattern(value, [...here, 'path', 'value'], invalid)
    const lines = compileValues(headers, [...here, 'headers'], invalid, (name) =>
      name.toLowerCase(),
    )
    const query = compileValues(queryParams, [...here, 'queryParams'], invalid, (name) => name)
    return Object.assign(
      { path: compilePath(type, value) },
      method === undefined ? undefined : { method },
      lines.length === 0 ? undefined : { headers: lines },
      query.length === 0 ? undefined : { query },
    )
  })
}

function compilePath(type: PathMatch['type'], value: string): PathMatch {
  if (type !== 'PathPrefix' || value === '/') return { type, value }
  return { type, value: value.replace(/\/$/, '') }
}

/** Gateway API: of several entries for one name only the first counts. */
function compileValues(
  values: NonNullable<HttpRouteMatch['headers']>,
  at: FieldPath,
  invalid: Say,
  keyOf: (name: string) => string,
): readonly ValueMatch[] {
  const first = new Map<string, ValueMatch>()
  for (const [index, { name, value, type = 'Exact' }] of values.entries()) {
    if (type === 'RegularExpression') tryPattern(value, [...at, index, 'value'], invalid)
    const key = keyOf(name)
    if (first.has(key)) continue
    first.set(key, { name: key, value, ...(type === 'Exact' ? {} : { type }) })
  }
  return [...first.values()]
}

function tryPattern(pattern: string, path: FieldPath, invalid: Say): void {
  try {
    // eslint-disable-next-line no-new
    new LinearRegex(pattern)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    invalid(path, `expected a regular expression of RE2: ${error.message}`)
  }
}
