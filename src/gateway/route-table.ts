/**
 * Which rule a request belongs to. The order of precedence is worked out once per snapshot
 * (`config/route-order.ts`); a request looks only at the candidates of its own host.
 */
import { orderedCandidates, type RouteCandidate } from '../config/route-order.ts'
import type { RouteMatch, Snapshot } from '../config/snapshot.ts'

/** What a route is matched by; a header's value or undefined. */
export interface RouteKey {
  /** Lower case, without a port. */
  readonly host: string
  /** With or without query. */
  readonly path: string
  readonly method: string
  header(name: string): string | null | undefined
}

export class RouteTable {
  readonly #exact = new Map<string, RouteCandidate[]>()
  /** By what follows the `*`, with its dot. */
  readonly #wildcard = new Map<string, RouteCandidate[]>()
  readonly #everyHost: RouteCandidate[] = []

  constructor(snapshot: Snapshot) {
    for (const candidate of orderedCandidates(snapshot)) {
      const { hostname } = candidate
      if (hostname === undefined) this.#everyHost.push(candidate)
      else if (hostname.startsWith('*.')) put(this.#wildcard, hostname.slice(1), candidate)
      else put(this.#exact, hostname, candidate)
    }
  }

  /** @returns the candidate that wins, or undefined when no route matches */
  match(key: RouteKey): RouteCandidate | undefined {
    const path = withoutQuery(key.path)
    const exact = this.#exact.get(key.host)
    const found = exact && first(exact, path, key)
    if (found) return found
    if (this.#wildcard.size > 0) {
      // from the longest suffix to the shortest
      for (let dot = key.host.indexOf('.'); dot > 0; dot = key.host.indexOf('.', dot + 1)) {
        const candidates = this.#wildcard.get(key.host.slice(dot))
        const match = candidates && first(candidates, path, key)
        if (match) return match
      }
    }
    return first(this.#everyHost, path, key)
  }
}

function put(table: Map<string, RouteCandidate[]>, name: string, candidate: RouteCandidate): void {
  const candidates = table.get(name)
  if (candidates) candidates.push(candidate)
  else table.set(name, [candidate])
}

function first(
  candidates: readonly RouteCandidate[],
  path: string,
  key: RouteKey,
): RouteCandidate | undefined {
  for (const candidate of candidates) if (holds(candidate.match, path, key)) return candidate
  return undefined
}

function holds(match: RouteMatch, path: string, key: RouteKey): boolean {
  if (!pathHolds(match.path, path)) return false
  if (match.method !== undefined && match.method !== key.method) return false
  for (const { name, value } of match.headers ?? []) if (key.header(name) !== value) return false
  return true
}

function pathHolds({ type, value }: RouteMatch['path'], path: string): boolean {
  if (type === 'Exact') return path === value
  if (value === '/') return true
  // element-wise: /shop is a prefix of /shop and /shop/x, not of /shopping
  return path.startsWith(value) && (path.length === value.length || path[value.length] === '/')
}

function withoutQuery(path: string): string {
  const query = path.indexOf('?')
  return query < 0 ? path : path.slice(0, query)
}

/** `Host` without its port, in lower case. IPv6 literals keep their brackets. */
export function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(':')
  const host = colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority
  return host.toLowerCase()
}
