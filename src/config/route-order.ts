/**
 * Which match wins when several hold: Gateway API's precedence, as one sorted list. A router that
 * walks the list and stops at the first match that holds has found the rule.
 */
import type { RouteMatch, RouteRule, Snapshot, SnapshotRoute } from './snapshot.ts'

export interface RouteCandidate {
  /** undefined: every host. */
  readonly hostname: string | undefined
  readonly match: RouteMatch
  readonly rule: RouteRule
  readonly route: SnapshotRoute
}

/**
 * All the matches of a snapshot, the winner first: the longest host name without wildcard, then the
 * longest with one, then none; Exact paths, then the longest prefix; a method; the most headers; the
 * route by namespace and name; the order within the route.
 */
export function orderedCandidates(snapshot: Snapshot): readonly RouteCandidate[] {
  const candidates = snapshot.routes.flatMap((route) =>
    hostnamesOf(route).flatMap((hostname) =>
      route.rules.flatMap((rule) =>
        rule.matches.map((match) => ({ hostname, match, rule, route })),
      ),
    ),
  )
  // The routes come sorted by namespace and name, and sort is stable: the last two ties are settled.
  return candidates.sort(
    (a, b) =>
      hostRank(b.hostname) - hostRank(a.hostname) ||
      pathRank(b.match) - pathRank(a.match) ||
      Number(b.match.method !== undefined) - Number(a.match.method !== undefined) ||
      (b.match.headers?.length ?? 0) - (a.match.headers?.length ?? 0),
  )
}

function hostnamesOf(route: SnapshotRoute): readonly (string | undefined)[] {
  return route.hostnames.length === 0 ? [undefined] : route.hostnames
}

/** Host names are at most 253 characters long, so 1,000 puts one class above the other. */
function hostRank(hostname: string | undefined): number {
  if (hostname === undefined) return 0
  return hostname.startsWith('*.') ? hostname.length : 1_000 + hostname.length
}

/** Paths are at most 1,024 characters long. */
function pathRank({ path }: RouteMatch): number {
  return path.type === 'Exact' ? 10_000 : path.value.length
}
