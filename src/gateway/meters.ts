/**
 * What the gateway counts on the request path. A meter is made at the first request of its route, or
 * with its upstream, and kept over snapshots; counting is an addition to a field of it.
 */
import { type Counter, FAMILIES, GuestMetrics, Registry, type TagRule } from '../observe/index.ts'
import type { Histogram, Sample } from '../observe/index.ts'
import type { Labels } from '../observe/labels.ts'
import type { PluginCounts } from '../proxy-wasm/vm/plugin-counts.ts'
import type { VmPool } from '../proxy-wasm/index.ts'
import { StreamMeter } from './stream-meter.ts'

/** Counts answers by class. */
class Classes {
  readonly #make: (labels: { readonly envoy_response_code_class: string }) => Counter
  readonly #counters: (Counter | undefined)[] = [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]

  constructor(make: (labels: { readonly envoy_response_code_class: string }) => Counter) {
    this.#make = make
  }

  answered(status: number): void {
    const family = (status / 100) | 0
    const counter = this.#counters[family - 1]
    if (counter !== undefined) counter.value += 1
    else this.#first(family)
  }

  #first(family: number): void {
    const counter = this.#make({ envoy_response_code_class: String(family) })
    this.#counters[family - 1] = counter
    counter.value += 1
  }
}

/** The answers of one route, or of what matches none; each counts for the gateway as well. */
export class RouteMeter {
  readonly #own: Classes | undefined
  readonly #all: Classes
  readonly #duration: Histogram
  readonly #abandoned: Counter
  readonly #noRoute: Counter | undefined

  /** @param route - undefined for requests that match none */
  constructor(registry: Registry, all: Classes, route: string | undefined) {
    this.#all = all
    this.#duration = registry.histogram(FAMILIES.duration)
    this.#abandoned = registry.counter(FAMILIES.abandoned)
    if (route === undefined) this.#noRoute = registry.counter(FAMILIES.noRoute)
    else {
      this.#own = new Classes((labels) =>
        registry.counter(FAMILIES.routeRequests, { envoy_route: route, ...labels }),
      )
    }
  }

  /** @param ms - until the answer's headers */
  answered(status: number, ms: number): void {
    this.#all.answered(status)
    if (this.#own !== undefined) this.#own.answered(status)
    else if (this.#noRoute !== undefined) this.#noRoute.value += 1
    this.#duration.observe(ms)
  }

  /** The client left before there was an answer. */
  abandoned(): void {
    this.#abandoned.value += 1
  }
}

/** What came of requests to one upstream, callouts included. */
export class UpstreamMeter {
  readonly #registry: Registry
  readonly #labels: { readonly envoy_cluster_name: string }
  readonly #classes: Classes

  constructor(registry: Registry, name: string) {
    this.#registry = registry
    this.#labels = { envoy_cluster_name: name }
    this.#classes = new Classes((labels) =>
      registry.counter(FAMILIES.upstreamRequests, { ...this.#labels, ...labels }),
    )
  }

  answered(status: number): void {
    this.#classes.answered(status)
  }

  timedOut(): void {
    this.#registry.counter(FAMILIES.upstreamTimeouts, this.#labels).add()
  }

  failed(): void {
    this.#registry.counter(FAMILIES.upstreamFailures, this.#labels).add()
  }

  /** There was nobody to ask: no binding, or it is left alone. */
  unbound(): void {
    this.#registry.counter(FAMILIES.upstreamUnbound, this.#labels).add()
  }

  retried(): void {
    this.#registry.counter(FAMILIES.upstreamRetries, this.#labels).add()
  }

  ejected(): void {
    this.#registry.counter(FAMILIES.upstreamEjections, this.#labels).add()
  }
}

/** The answers of one side of a rollout. */
export class SideMeter {
  readonly #requests: Counter
  readonly #serverErrors: Counter
  readonly #denials: Counter
  readonly #wall: Counter
  readonly #squares: Counter

  constructor(registry: Registry, labels: Labels) {
    this.#requests = registry.counter(FAMILIES.rolloutRequests, labels)
    this.#serverErrors = registry.counter(FAMILIES.rolloutServerErrors, labels)
    this.#denials = registry.counter(FAMILIES.rolloutDenials, labels)
    this.#wall = registry.counter(FAMILIES.rolloutWall, labels)
    this.#squares = registry.counter(FAMILIES.rolloutWallSquares, labels)
  }

  /** @param ms - until the answer's headers */
  answered(status: number, ms: number): void {
    this.#requests.value += 1
    if (status >= 500) this.#serverErrors.value += 1
    else if (status >= 400) this.#denials.value += 1
    this.#wall.value += ms
    this.#squares.value += ms * ms
  }
}

/** All meters of one gateway and the registry behind them. */
export class Meters {
  readonly registry: Registry = new Registry()
  readonly guests: GuestMetrics
  readonly #all: Classes
  readonly #routes = new Map<string | undefined, RouteMeter>()
  readonly #upstreams = new Map<string, UpstreamMeter>()

  /** @param tags - how labels are found in the names of plugins' metrics */
  constructor(tags: readonly TagRule[] = []) {
    this.guests = new GuestMetrics(tags)
    this.registry.addSource(this.guests.samples)
    this.#all = new Classes((labels) => this.registry.counter(FAMILIES.requests, labels))
  }

  /** @param route - `namespace/name`, or undefined for requests that match none */
  route(route: string | undefined): RouteMeter {
    let meter = this.#routes.get(route)
    if (meter === undefined) {
      meter = new RouteMeter(this.registry, this.#all, route)
      this.#routes.set(route, meter)
    }
    return meter
  }

  upstream(name: string): UpstreamMeter {
    let meter = this.#upstreams.get(name)
    if (meter === undefined) {
      meter = new UpstreamMeter(this.registry, name)
      this.#upstreams.set(name, meter)
    }
    return meter
  }

  /** @param labels - which rollout, which run of it, in which mode, which side */
  side(labels: Labels): SideMeter {
    return new SideMeter(this.registry, labels)
  }

  /**
   * @param labels - as of a side
   * @param asked - metrics of the plugin's own that are compared
   */
  streams(labels: Labels, asked: readonly string[] = []): StreamMeter {
    return new StreamMeter(this.registry, labels, this.guests, asked)
  }

  /** Counts an answer of a gateway that has nothing to run. */
  unconfigured(): void {
    this.#all.answered(503)
  }

  /** Counts a refusal of configuration. */
  refused(code: string): void {
    this.registry.counter(FAMILIES.refusals, { code }).add()
  }

  /** Lets the pool's vms and plugins, and the revision that runs, be seen. */
  watch(pool: VmPool, revision: () => number): void {
    this.registry.addSource(() => [
      { ...series(FAMILIES.revision), value: revision() },
      ...vmSamples(pool),
      ...[...pool.counts].flatMap(([plugin, counts]) => pluginSamples(plugin, counts)),
    ])
  }
}

type Scalar = Sample & { readonly kind: 'counter' | 'gauge' }

function series(
  { name, kind }: { readonly name: string; readonly kind: Scalar['kind'] },
  labels = '',
): Omit<Scalar, 'value'> & { readonly kind: Scalar['kind'] } {
  return { name, kind, labels }
}

function vmSamples(pool: VmPool): Sample[] {
  return [
    { ...series(FAMILIES.vmsCreated), value: pool.created },
    { ...series(FAMILIES.vmsActive), value: pool.size },
    { ...series(FAMILIES.vmMemory), value: pool.memoryBytes },
  ]
}

function pluginSamples(plugin: string, counts: PluginCounts): Sample[] {
  const counted = [
    [FAMILIES.reloads, counts.reloads],
    [FAMILIES.reloadsFailed, counts.failedStarts],
    [FAMILIES.reloadsPut, counts.backoffs],
    [FAMILIES.traps, counts.traps],
    [FAMILIES.localReplies, counts.localReplies],
    [FAMILIES.failedClosed, counts.failedClosed],
    [FAMILIES.failedOpen, counts.failedOpen],
    [FAMILIES.overBudget, counts.overBudget],
    [FAMILIES.logLinesDropped, counts.droppedLogLines],
  ] as const
  const labels = `plugin_name="${plugin}"`
  const { name } = FAMILIES.wouldBe
  const wouldBe = Object.entries(counts.wouldBe).map(([act, value]): Sample => {
    return { kind: 'counter', name, labels: `class="${act}",${labels}`, value }
  })
  return counted
    .flatMap<Sample>(([family, value]) =>
      value === 0 ? [] : [{ ...series(family, labels), value }],
    )
    .concat(wouldBe)
}
