/**
 * A snapshot as a gateway runs it: routes, upstreams and chains worked out once, so that a request only
 * looks things up. Immutable; a request keeps the one it began with to its end.
 */
import type { PluginId, Snapshot, SnapshotRoute } from '../config/snapshot.ts'
import type { Plugin } from '../proxy-wasm/index.ts'
import { ChainPorts } from './chain-ports.ts'
import type { Meters, RouteMeter } from './meters.ts'
import { type RouteKey, RouteTable } from './route-table.ts'
import { type Reachable, type Upstream, UpstreamTable } from './upstream.ts'

export class Running {
  readonly snapshot: Snapshot
  readonly routes: RouteTable
  readonly upstreams: UpstreamTable
  readonly plugins: ReadonlyMap<PluginId, Plugin>
  /** The chain of a request that matches no route. */
  readonly gatewayChain: readonly Plugin[]
  readonly #chains = new Map<SnapshotRoute, readonly Plugin[]>()
  readonly #meters: Meters
  readonly #routeMeters = new Map<SnapshotRoute | undefined, RouteMeter>()
  readonly #ports: ChainPorts | undefined
  readonly #mayCall = new Map<PluginId, ReadonlySet<string>>()

  constructor(
    snapshot: Snapshot,
    plugins: ReadonlyMap<PluginId, Plugin>,
    reachable: Reachable,
    meters: Meters,
  ) {
    this.#meters = meters
    this.snapshot = snapshot
    this.plugins = plugins
    this.routes = new RouteTable(snapshot)
    this.upstreams = new UpstreamTable(snapshot.upstreams, reachable, meters)
    this.gatewayChain = this.#chainOf(snapshot.gatewayPlugins)
    for (const route of snapshot.routes) this.#chains.set(route, this.#chainOf(route.plugins))
    this.#ports = ChainPorts.of(Object.values(snapshot.plugins), plugins)
    for (const { id, upstreams } of Object.values(snapshot.plugins)) {
      if (upstreams) this.#mayCall.set(id, new Set(upstreams))
    }
  }

  #chainOf(ids: readonly PluginId[]): readonly Plugin[] {
    return ids.flatMap((id) => this.plugins.get(id) ?? [])
  }

  /** A route's plugins in request order. */
  chain(route: SnapshotRoute): readonly Plugin[] {
    return this.#chains.get(route) ?? this.gatewayChain
  }

  /** Those plugins of a chain that are for the port on which a request is taken. */
  atPort(chain: readonly Plugin[], key: RouteKey): readonly Plugin[] {
    return this.#ports === undefined ? chain : this.#ports.select(chain, this.routes.port(key))
  }

  /** Where a route's answers are counted, or those of requests that match none; made by the first of them. */
  meter(route: SnapshotRoute | undefined): RouteMeter {
    let meter = this.#routeMeters.get(route)
    if (meter === undefined) {
      meter = this.#meters.route(route && `${route.namespace}/${route.name}`)
      this.#routeMeters.set(route, meter)
    }
    return meter
  }

  /** The upstream that a plugin may call under a name or alias. */
  callable(plugin: PluginId, upstream: string): Upstream | undefined {
    const found = this.upstreams.get(upstream)
    const allowed = this.#mayCall.get(plugin)
    return found && (allowed === undefined || allowed.has(found.name)) ? found : undefined
  }
}
