/**
 * A snapshot as a gateway runs it: routes, upstreams and chains worked out once, so that a request only
 * looks things up. Immutable; a request keeps the one it began with to its end.
 */
import type {
  PluginId,
  RouteRule,
  Snapshot,
  SnapshotGateway,
  SnapshotRoute,
} from '../config/snapshot.ts'
import type { Plugin } from '../proxy-wasm/index.ts'
import { ChainPorts } from './chain-ports.ts'
import type { Meters, RouteMeter } from './meters.ts'
import type { RolloutSides } from './rollout-sides.ts'
import { type RouteKey, RouteTable } from './route-table.ts'
import { RuleActions } from './rule-actions.ts'
import type { Reachable, Upstream } from './upstream.ts'
import { UpstreamTable } from './upstream-table.ts'

/** Where the requests of a rule go. */
export interface Destination {
  readonly upstream: Upstream | undefined
  /** What the rule does besides; undefined for a rule that sends its requests to one upstream and nothing else. */
  readonly actions: RuleActions | undefined
}

export class Running {
  readonly snapshot: Snapshot
  readonly routes: RouteTable
  readonly upstreams: UpstreamTable
  readonly plugins: ReadonlyMap<PluginId, Plugin>
  /** Undefined where no plugin has another version to choose. */
  readonly rollouts: RolloutSides | undefined
  /** The chain of a request for a host that no listener has. */
  readonly gatewayChain: readonly Plugin[]
  readonly #chains = new Map<SnapshotRoute | SnapshotGateway, readonly Plugin[]>()
  readonly #destinations = new Map<RouteRule, Destination>()
  readonly #meters: Meters
  readonly #routeMeters = new Map<SnapshotRoute | undefined, RouteMeter>()
  readonly #ports: ChainPorts | undefined
  readonly #mayCall = new Map<PluginId, ReadonlySet<string>>()

  constructor(
    snapshot: Snapshot,
    plugins: ReadonlyMap<PluginId, Plugin>,
    reachable: Reachable,
    meters: Meters,
    rollouts?: RolloutSides,
  ) {
    this.rollouts = rollouts
    this.#meters = meters
    this.snapshot = snapshot
    this.plugins = plugins
    this.routes = new RouteTable(snapshot)
    this.upstreams = new UpstreamTable(snapshot.upstreams, reachable, meters)
    this.gatewayChain = this.#chainOf(snapshot.gatewayPlugins)
    for (const one of [...snapshot.gateways, ...snapshot.routes]) {
      this.#chains.set(one, this.#chainOf(one.plugins))
    }
    for (const { rules } of snapshot.routes) {
      for (const rule of rules) {
        const [backend] = rule.backends
        this.#destinations.set(rule, {
          upstream: backend && this.upstreams.get(backend.upstream),
          actions: RuleActions.of(rule, this.upstreams),
        })
      }
    }
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

  /** The plugins of a request that no route takes: those of the Gateway that listens for its host. */
  chainWithoutRoute(key: RouteKey): readonly Plugin[] {
    const gateway = this.routes.gatewayOf(key)
    return (gateway && this.#chains.get(gateway)) ?? this.gatewayChain
  }

  /** Where the requests of a rule of this snapshot go. */
  destination(rule: RouteRule): Destination | undefined {
    return this.#destinations.get(rule)
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
