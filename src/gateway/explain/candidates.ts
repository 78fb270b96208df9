/**
 * Why each match of a snapshot was not the one for a request: the gateway's own tables, made for that one
 * match, are asked the gateway's own questions, so that an explanation cannot differ from what happens.
 */
import { orderedCandidates, type RouteCandidate } from '../../config/route-order.ts'
import type { RouteMatch, Snapshot } from '../../config/snapshot.ts'
import { HostMap } from '../host-map.ts'
import { PathTable } from '../path-table.ts'
import { conditionsOf, failing } from '../route-conditions.ts'
import type { RouteKey } from '../route-key.ts'
import { RouteTable } from '../route-table.ts'
import type { CandidateView } from './explanation.ts'

const LISTED = 200

export interface Candidates {
  readonly candidates: readonly CandidateView[]
  readonly more: number
}

/** @param won - what the gateway's route table answers for the key */
export function candidateViews(
  snapshot: Snapshot,
  key: RouteKey,
  won: RouteCandidate | undefined,
): Candidates {
  const all = orderedCandidates(snapshot)
  const own = all.filter((candidate) => hasHost(candidate, key))
  const others = all.filter((candidate) => !own.includes(candidate))
  const listed = [...own, ...others].slice(0, LISTED)
  return {
    candidates: listed.map((candidate) => ({
      ...viewOf(candidate),
      failed: isSame(candidate, won) ? undefined : whyNot(snapshot, candidate, key),
    })),
    more: all.length - listed.length,
  }
}

/** Without the reason. */
export function viewOf({
  route,
  gateway,
  listener,
  hostname,
  match,
}: RouteCandidate): Omit<CandidateView, 'failed'> {
  return {
    route: `${route.namespace}/${route.name}`,
    gateway: `${gateway.namespace}/${gateway.name}`,
    listener: listener.name,
    hostname: hostname ?? '*',
    rule: route.rules.findIndex(({ matches }) => matches.includes(match)),
    match: describe(match),
  }
}

function isSame(candidate: RouteCandidate, won: RouteCandidate | undefined): boolean {
  return (
    candidate.match === won?.match &&
    candidate.hostname === won.hostname &&
    candidate.listener === won.listener
  )
}

function whyNot(snapshot: Snapshot, candidate: RouteCandidate, key: RouteKey): string {
  const { match, hostname } = candidate
  if (!hasHost(candidate, key)) return `host: ${key.host} is not ${hostname ?? ''}`
  const path = key.path.split('?', 1)[0] as string
  const paths = new PathTable()
  paths.add({ ...candidate, match: { path: match.path } })
  if (paths.match(path, key) === undefined)
    return `path: ${path} is not ${describe({ path: match.path })}`
  const condition = failing(conditionsOf(match), key)
  if (condition !== undefined) return `${condition.what} does not hold`
  if (alone(snapshot, candidate).match(key) === undefined) {
    const taker = new RouteTable(snapshot).gatewayOf(key)
    const whose = taker === undefined ? 'no Gateway' : `Gateway ${taker.namespace}/${taker.name}`
    return `listener: the request belongs to another one, of ${whose}`
  }
  return 'it holds, and the match that won comes before it'
}

/** Whether the host is one of the candidate's: its name itself, or one below a wildcard. */
function hasHost({ hostname }: RouteCandidate, { host }: RouteKey): boolean {
  const hosts = new HostMap<true>()
  hosts.at(hostname, () => true)
  return hosts.find(host, (found) => found) === true
}

/** All listeners of a snapshot, and this one match. */
function alone(snapshot: Snapshot, { route, rule, match, listener }: RouteCandidate): RouteTable {
  const rules = [{ ...rule, matches: [match] }]
  return new RouteTable({ ...snapshot, routes: [{ ...route, rules, listeners: [listener.name] }] })
}

function describe({ path, method, headers = [], query = [] }: RouteMatch): string {
  return [
    `${path.type} ${path.value}`,
    ...(method === undefined ? [] : [`method ${method}`]),
    ...headers.map(({ name }) => `header ${name}`),
    ...query.map(({ name }) => `query parameter ${name}`),
  ].join(', ')
}
