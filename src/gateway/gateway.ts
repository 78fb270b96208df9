/**
 * One gateway per isolate: its vms, its configuration, and the request path. Made once from ports;
 * everything a request may share with another is in here, and only values are.
 */
import type { Baseline, LiveConfigStatus } from '../config/live-config.ts'
import { LiveConfig } from '../config/live-config.ts'
import type { RequestScope } from '../config/activation.ts'
import { type ConfigClock, systemClock } from '../config/clock.ts'
import type { ConfigSource } from '../config/source.ts'
import { envoyFunctions } from '../foreign/index.ts'
import { inMemoryPorts, type Ports, VmPool } from '../proxy-wasm/index.ts'
import type { TagRule } from '../observe/index.ts'
import { Activator } from './activate.ts'
import { errorResponse } from './errors.ts'
import { Exchange } from './exchange.ts'
import { grpcCallsPort } from './grpc-calls.ts'
import { handle } from './handle.ts'
import { httpCallsPort } from './http-calls.ts'
import { Meters } from './meters.ts'
import type { ModuleSource } from './modules.ts'
import { Reports, type ReportsOptions } from './reports.ts'
import type { Running } from './running.ts'
import { type GatewayStatus, gatewayStatus } from './status.ts'
import type { Reachable, Upstream } from './upstream.ts'

export interface GatewayOptions {
  readonly source: ConfigSource
  readonly modules: ModuleSource
  readonly reachable: Reachable
  /** Ports of the machine that differ from the in-memory ones. */
  readonly ports?: Partial<Ports>
  readonly clock?: ConfigClock
  /** Seconds; see `LiveConfigOptions`. */
  readonly refreshSeconds?: number | undefined
  readonly maxStaleSeconds?: number | undefined
  readonly baseline?: Baseline
  /** Guest memory above which idle plugins lose their vm. */
  readonly vmMemoryBytes?: number | undefined
  /** How labels are found in the names of plugins' metrics. */
  readonly metricTags?: readonly TagRule[]
  /** Where this isolate reports; absent: nowhere, and what it shows is its own alone. */
  readonly reports?: ReportsOptions | undefined
}

/** How often replaced plugins are looked after. */
const SWEEP_MS = 10_000

export class Gateway {
  readonly pool: VmPool
  readonly #live: LiveConfig<Running>
  readonly #activator: Activator
  readonly #modules: ModuleSource
  readonly #meters: Meters
  readonly #reports: Reports
  #sweptAt = 0

  constructor(options: GatewayOptions) {
    const { modules, ports, reachable, clock = systemClock, ...config } = options
    const callable = (plugin: string, name: string): Upstream | undefined =>
      this.#activator.running?.callable(plugin, name)
    const meters = new Meters(options.metricTags)
    this.#meters = meters
    this.pool = new VmPool(
      inMemoryPorts({
        httpCalls: httpCallsPort(callable),
        grpcCalls: grpcCallsPort(callable),
        foreignFunctions: envoyFunctions(),
        metrics: meters.guests.port,
        ...ports,
      }),
      options.vmMemoryBytes,
    )
    this.#modules = modules
    this.#activator = new Activator({ modules, pool: this.pool, reachable, meters })
    this.#live = new LiveConfig<Running>({
      ...config,
      clock,
      activate: (snapshot, scope) => this.#activator.activate(snapshot, scope),
      onRefusal: ({ code }) => meters.refused(code),
    })
    meters.watch(this.pool, () => this.#live.status().revision)
    this.#reports = new Reports(meters.registry, this.#live, options.reports)
  }

  /** Serves one request. @param scope - its `waitUntil` */
  fetch(request: Request, scope: RequestScope): Promise<Response> {
    const current = this.#live.current(scope)
    // on the usual path the configuration is there already: no promise, no turn of the event loop
    return current instanceof Promise
      ? current.then(() => this.#serve(request, scope))
      : this.#serve(request, scope)
  }

  /** What is due now and then, whatever the requests are. */
  #housekeeping(now: number): void {
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    this.pool.sweep()
  }

  #serve(request: Request, scope: RequestScope): Promise<Response> {
    // what the activator has is what its plugins belong to, also in the instant of a swap
    const { running } = this.#activator
    const now = Date.now()
    this.#reports.whenDue(request, scope, now)
    if (running === undefined) {
      this.#meters.unconfigured()
      return Promise.resolve(errorResponse('config.none'))
    }
    this.#housekeeping(now)
    return handle(this, running, request, new Exchange(scope, now))
  }

  /** Reads the configuration now. */
  async refresh(scope: RequestScope): Promise<LiveConfigStatus> {
    const status = await this.#live.refresh(scope)
    // whoever asked wants to see what came of it
    scope.waitUntil(this.#reports.now(scope))
    return status
  }

  /**
   * The metrics of all isolates in Prometheus' text format, or of this one when the others cannot be had.
   * @param node - of this node's isolates alone
   */
  metrics(scope: RequestScope, node?: string): Promise<string> {
    return this.#reports.metrics(scope, node)
  }

  /** What runs and what was refused. */
  async status(scope: RequestScope): Promise<GatewayStatus> {
    await this.#live.current(scope)
    const { running } = this.#activator
    const nodes = await this.#reports.nodes()
    return { ...gatewayStatus(this.#live.status(), this.#modules, running, this.pool), nodes }
  }
}
