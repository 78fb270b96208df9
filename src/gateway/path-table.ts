/**
 * The candidates of one host by their paths: a request looks up its path and what its path lies below,
 * however many routes there are. Only regular expressions are tried one by one.
 */
import { LinearRegex } from '../config/regex/linear-regex.ts'
import type { RouteCandidate } from '../config/route-order.ts'
import { type Condition, conditionsOf, failing } from './route-conditions.ts'
import type { RouteKey } from './route-key.ts'

interface Entry {
  readonly candidate: RouteCandidate
  readonly conditions: readonly Condition[] | undefined
}

export class PathTable {
  readonly #exact = new Map<string, Entry[]>()
  /** By prefix, `/` aside. */
  readonly #prefixes = new Map<string, Entry[]>()
  /** The length of the longest prefix. */
  #longest = 0
  readonly #regexes: (Entry & { readonly regex: LinearRegex })[] = []
  readonly #everyPath: Entry[] = []

  /** @param candidate - called in order of precedence */
  add(candidate: RouteCandidate): void {
    const { type, value } = candidate.match.path
    const entry = { candidate, conditions: conditionsOf(candidate.match) }
    if (type === 'Exact') put(this.#exact, value, entry)
    else if (type === 'RegularExpression') {
      this.#regexes.push({ ...entry, regex: new LinearRegex(value) })
    } else if (value === '/') this.#everyPath.push(entry)
    else {
      put(this.#prefixes, value, entry)
      this.#longest = Math.max(this.#longest, value.length)
    }
  }

  /** @param path - without query */
  match(path: string, key: RouteKey): RouteCandidate | undefined {
    if (this.#exact.size > 0) {
      const entries = this.#exact.get(path)
      const found = entries && first(entries, key)
      if (found) return found
    }
    if (this.#longest > 0) {
      const found = this.#byPrefix(path, key)
      if (found) return found
    }
    for (const { candidate, conditions, regex } of this.#regexes) {
      if (failing(conditions, key) === undefined && regex.matches(path)) return candidate
    }
    return first(this.#everyPath, key)
  }

  /** Element-wise, the longest first: /shop is a prefix of /shop and /shop/x, not of /shopping. */
  #byPrefix(path: string, key: RouteKey): RouteCandidate | undefined {
    const longest = this.#longest
    let end = path.length > longest ? path.lastIndexOf('/', longest) : path.length
    for (; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const entries = this.#prefixes.get(path.slice(0, end))
      const found = entries && first(entries, key)
      if (found) return found
    }
    return undefined
  }
}

function put(table: Map<string, Entry[]>, name: string, entry: Entry): void {
  const entries = table.get(name)
  if (entries) entries.push(entry)
  else table.set(name, [entry])
}

function first(entries: readonly Entry[], key: RouteKey): RouteCandidate | undefined {
  for (const { candidate, conditions } of entries) {
    if (failing(conditions, key) === undefined) return candidate
  }
  return undefined
}
