/**
 * Which rule a request belongs to. A host's listener is found first, then among its routes the host, then
 * the path; the order of precedence is worked out once per snapshot (`config/route-order.ts`). What a
 * request costs does not depend on how many routes there are.
 */
import { orderedCandidates, type RouteCandidate } from '../config/route-order.ts'
import type { Snapshot, SnapshotGateway, SnapshotListener } from '../config/snapshot.ts'
import { HostMap } from './host-map.ts'
import { PathTable } from './path-table.ts'
import { portOf, type RouteKey } from './route-key.ts'

export { hostOf, type RouteKey } from './route-key.ts'

/** The routes of a listener, or of several that requests cannot tell apart. */
interface Place {
  /** The first of those that listen there. */
  readonly gateway: SnapshotGateway
  readonly port: number | undefined
  readonly protocol: SnapshotListener['protocol']
  readonly hosts: HostMap<PathTable>
}

export class RouteTable {
  /** Of each host name that listeners have. */
  readonly #places = new HostMap<Place[]>()

  constructor(snapshot: Snapshot) {
    const places = new Map<SnapshotListener, readonly Place[]>()
    // the one without a port joins those that have one
    const listeners = snapshot.gateways
      .flatMap((gateway) => gateway.listeners.map((listener) => ({ gateway, listener })))
      .sort((a, b) => Number(a.listener.port === undefined) - Number(b.listener.port === undefined))
    for (const { gateway, listener } of listeners) {
      places.set(listener, this.#join(gateway, listener))
    }
    for (const candidate of orderedCandidates(snapshot)) {
      for (const { hosts } of places.get(candidate.listener) ?? []) {
        hosts.at(candidate.hostname, () => new PathTable()).add(candidate)
      }
    }
  }

  #join(gateway: SnapshotGateway, listener: SnapshotListener): readonly Place[] {
    const { hostname, port, protocol } = listener
    const all = this.#places.at(hostname, () => [])
    if (port === undefined && all.length > 0) return all
    let place = all.find((one) => one.port === port && one.protocol === protocol)
    if (place === undefined) {
      place = { gateway, port, protocol, hosts: new HostMap() }
      all.push(place)
    }
    return [place]
  }

  /** @returns the candidate that wins, or undefined when no route matches */
  match(key: RouteKey): RouteCandidate | undefined {
    const place = this.#placeOf(key)
    if (place === undefined) return undefined
    const path = withoutQuery(key.path)
    return place.hosts.find(key.host, (paths) => paths.match(path, key))
  }

  /** @returns whose requests without a route are a host's; undefined when no listener has the host */
  gatewayOf(key: RouteKey): SnapshotGateway | undefined {
    return this.#placeOf(key)?.gateway
  }

  /** @returns the port of the listener that takes a request, or the port asked for where it has none */
  port(key: RouteKey): number {
    return this.#placeOf(key)?.port ?? portOf(key)
  }

  /** The most specific listener takes a request, whether it has a route for it or not. */
  #placeOf(key: RouteKey): Place | undefined {
    const places = this.#places.find(key.host, (found) => found)
    return places === undefined || places.length === 1 ? places?.[0] : choose(places, key)
  }
}

/** Listeners of one host: by port, else by scheme, else the first. */
function choose(places: readonly Place[], key: RouteKey): Place | undefined {
  const port = portOf(key)
  const protocol = key.scheme === 'https' ? 'HTTPS' : 'HTTP'
  return (
    places.find((place) => place.port === port) ??
    places.find((place) => place.protocol === protocol) ??
    places[0]
  )
}

function withoutQuery(path: string): string {
  const query = path.indexOf('?')
  return query < 0 ? path : path.slice(0, query)
}
