/**
 * Which match wins when several hold: Gateway API's precedence, as one sorted list. A router that
 * walks the list of a request's listener and stops at the first match that holds has found the rule.
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
 */
import { commonHostnames } from './hostnames.ts'
import type {
  RouteMatch,
  RouteRule,
  Snapshot,
  SnapshotGateway,
  SnapshotListener,
  SnapshotRoute,
} from './snapshot.ts'

export interface RouteCandidate {
  readonly gateway: SnapshotGateway
  readonly listener: SnapshotListener
  /** What route and listener have in common; undefined: every host. */
  readonly hostname: string | undefined
  readonly match: RouteMatch
  readonly rule: RouteRule
  readonly route: SnapshotRoute
}

/**
 * All the matches of a snapshot, the winner first: the longest host name without wildcard, then the
 * longest with one, then none; Exact paths, then the longest prefix, then the longest regular
 * expression, then the prefix `/`; a method; the most headers; the most query parameters; the older route,
 * then by namespace and name; the order within the route.
 */
export function orderedCandidates(snapshot: Snapshot): readonly RouteCandidate[] {
  const gateways = new Map(snapshot.gateways.map((one) => [`${one.namespace}/${one.name}`, one]))
  const candidates: RouteCandidate[] = []
  for (const route of snapshot.routes) {
    const gateway = gateways.get(route.gateway)
    for (const listener of gateway?.listeners ?? []) {
      if (gateway === undefined || route.listeners?.includes(listener.name) === false) continue
      const common = commonHostnames(route.hostnames, listener.hostname)
      if (common === undefined) continue
      for (const hostname of common.length === 0 ? [undefined] : common) {
        for (const rule of route.rules) {
          for (const match of rule.matches) {
            candidates.push({ gateway, listener, hostname, match, rule, route })
          }
        }
      }
    }
  }
  // The routes come sorted by age, namespace and name, and sort is stable: the last ties are settled.
  return candidates.sort(
    (a, b) => hostRank(b.hostname) - hostRank(a.hostname) || compareMatches(a.match, b.match),
  )
}

/** For `sort`: negative when `a` is looked at before `b`. */
function compareMatches(a: RouteMatch, b: RouteMatch): number {
  return (
    pathRank(b) - pathRank(a) ||
    b.path.value.length - a.path.value.length ||
    Number(b.method !== undefined) - Number(a.method !== undefined) ||
    (b.headers?.length ?? 0) - (a.headers?.length ?? 0) ||
    (b.query?.length ?? 0) - (a.query?.length ?? 0)
  )
}

/** Host names are at most 253 characters long, so 1,000 puts one class above the other. */
function hostRank(hostname: string | undefined): number {
  if (hostname === undefined) return 0
  return hostname.startsWith('*.') ? hostname.length : 1_000 + hostname.length
}

/**
 * Gateway API leaves open where regular expressions are. As in Istio they come behind prefixes, and
 * before what takes every path.
 */
function pathRank({ path }: RouteMatch): number {
  if (path.type === 'Exact') return 3
  if (path.type === 'RegularExpression') return 1
  return path.value === '/' ? 0 : 2
}
