/**
 * One gateway per isolate: its vms, its configuration, and the request path. Made once from ports;
 * everything a request may share with another is in here, and only values are.
 */
import type { Baseline, LiveConfigStatus } from '../config/live-config.ts'
import { LiveConfig } from '../config/live-config.ts'
import type { RequestScope } from '../config/activation.ts'
import { type ConfigClock, systemClock } from '../config/clock.ts'
import type { ConfigSource } from '../config/source.ts'
import { inMemoryPorts, type Ports, VmPool } from '../proxy-wasm/index.ts'
import { Activator } from './activate.ts'
import { errorResponse } from './errors.ts'
import { grpcCallsPort } from './grpc-calls.ts'
import { handle } from './handle.ts'
import { httpCallsPort } from './http-calls.ts'
import type { ModuleSource } from './modules.ts'
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
}

/** How often replaced plugins are looked after. */
const SWEEP_MS = 10_000

export class Gateway {
  readonly pool: VmPool
  readonly #live: LiveConfig<Running>
  readonly #activator: Activator
  readonly #modules: ModuleSource
  #sweptAt = 0

  constructor(options: GatewayOptions) {
    const { modules, ports, reachable, clock = systemClock, ...config } = options
    const callable = (plugin: string, name: string): Upstream | undefined =>
      this.#activator.running?.callable(plugin, name)
    this.pool = new VmPool(
      inMemoryPorts({
        httpCalls: httpCallsPort(callable),
        grpcCalls: grpcCallsPort(callable),
        ...ports,
      }),
      options.vmMemoryBytes,
    )
    this.#modules = modules
    this.#activator = new Activator({ modules, pool: this.pool, reachable })
    this.#live = new LiveConfig<Running>({
      ...config,
      clock,
      activate: (snapshot, scope) => this.#activator.activate(snapshot, scope),
    })
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
  #housekeeping(): void {
    const now = Date.now()
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    this.pool.sweep()
  }

  #serve(request: Request, scope: RequestScope): Promise<Response> {
    // what the activator has is what its plugins belong to, also in the instant of a swap
    const { running } = this.#activator
    if (running === undefined) return Promise.resolve(errorResponse('config.none'))
    this.#housekeeping()
    const io = { waitUntil: (promise: Promise<unknown>) => scope.waitUntil(promise), gone: false }
    return handle(this, running, request, io)
  }

  /** Reads the configuration now. */
  refresh(scope: RequestScope): Promise<LiveConfigStatus> {
    return this.#live.refresh(scope)
  }

  /** What runs and what was refused. */
  async status(scope: RequestScope): Promise<GatewayStatus> {
    await this.#live.current(scope)
    return gatewayStatus(this.#live.status(), this.#modules, this.#activator.running, this.pool)
  }
}
