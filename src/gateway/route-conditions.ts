/** What a match asks of a request beside host and path, made ready once for a snapshot. */
import { LinearRegex } from '../config/regex/linear-regex.ts'
import type { RouteMatch, ValueMatch } from '../config/snapshot.ts'
import { queryParam, type RouteKey } from './route-key.ts'

export interface Condition {
  /** For people: `method POST`, `header x-beta`, `query parameter page`. */
  readonly what: string
  holds(key: RouteKey): boolean
}

/** @returns in the order in which they are looked at; undefined when nothing is asked */
export function conditionsOf({
  method,
  headers,
  query,
}: RouteMatch): readonly Condition[] | undefined {
  const conditions: Condition[] = []
  if (method !== undefined) {
    conditions.push({ what: `method ${method}`, holds: (key) => key.method === method })
  }
  for (const match of headers ?? []) {
    const { name } = match
    const test = testOf(match)
    conditions.push({ what: `header ${name}`, holds: (key) => test(key.header(name)) })
  }
  for (const match of query ?? []) {
    const { name } = match
    const test = testOf(match)
    conditions.push({
      what: `query parameter ${name}`,
      holds: (key) => test(queryParam(key, name)),
    })
  }
  return conditions.length === 0 ? undefined : conditions
}

function testOf({ type, value }: ValueMatch): (found: string | null | undefined) => boolean {
  if (type === undefined) return (found) => found === value
  const regex = new LinearRegex(value)
  return (found) => found != null && regex.matches(found)
}

/** @returns the first condition that does not hold, or undefined when all do */
export function failing(
  conditions: readonly Condition[] | undefined,
  key: RouteKey,
): Condition | undefined {
  if (conditions === undefined) return undefined
  for (const condition of conditions) if (!condition.holds(key)) return condition
  return undefined
}
