/**
 * One gateway per isolate: its vms, its configuration, and the request path. Made once from ports;
 * everything a request may share with another is in here, and only values are.
 */
import type { LiveConfigStatus } from '../config/live-config.ts'
import type { RequestScope } from '../config/activation.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { FAMILIES } from '../observe/index.ts'
import type { VmPool } from '../proxy-wasm/index.ts'
import { InMemorySharedQueues } from '../proxy-wasm/in-memory/shared-queues.ts'
import { Core, type CoreOptions } from './core.ts'
import type { PreviewTokens } from '../rollout/preview-token.ts'
import { Recognition } from '../rollout/recognition.ts'
import type { Visitor } from '../rollout/visitor.ts'
import { errorResponse } from './errors.ts'
import { Exchange } from './exchange.ts'
import { explain } from './explain/explain.ts'
import type { ExplainRequest, Explanation, NoExplanation } from './explain/explanation.ts'
import { handle } from './handle.ts'
import { Meters } from './meters.ts'
import type { ModuleSource } from './modules.ts'
import { withGivenKeys } from './given-keys.ts'
import { PLAIN_NODE } from './node.ts'
import type { Running } from './running.ts'
import { SingletonQueues, type Singletons } from './singletons.ts'
import { type GatewayStatus, gatewayStatus } from './status.ts'

export interface GatewayOptions extends CoreOptions {
  /** Where singletons run; absent: nowhere. */
  readonly singletons?: Singletons | undefined
  /** Signs preview tokens and sticky keys, the same on all nodes; absent: there are neither. */
  readonly rolloutSecret?: string | undefined
}

const NO_COOKIES: readonly string[] = []

/** How often replaced plugins are looked after. */
const SWEEP_MS = 10_000

export class Gateway {
  readonly pool: VmPool
  readonly #core: Core
  readonly #options: GatewayOptions
  readonly #modules: ModuleSource
  readonly #meters: Meters
  readonly #singletons: Singletons | undefined
  readonly #queues: SingletonQueues | undefined
  readonly #recognition: Recognition | undefined
  #hadSingletons = false
  #sweptAt = 0

  constructor(options: GatewayOptions) {
    const { singletons, rolloutSecret } = options
    this.#recognition = rolloutSecret === undefined ? undefined : new Recognition(rolloutSecret)
    this.#options = options
    const meters = new Meters(options.metricTags)
    this.#meters = meters
    this.#singletons = singletons
    this.#queues =
      singletons && new SingletonQueues(singletons, meters.registry.counter(FAMILIES.itemsDropped))
    this.#core = new Core(options, {
      meters,
      runs: ({ singleton }) => singleton !== true,
      sharedQueues: this.#queues ?? new InMemorySharedQueues(),
      beforeActivate: (snapshot, scope) => this.#followSingletons(snapshot, scope),
    })
    this.pool = this.#core.pool
    this.#modules = options.modules
  }

  /** Plugins that start may ask for queues of singletons; those may have to be started themselves. */
  #followSingletons(snapshot: Snapshot, scope: RequestScope): void {
    this.#queues?.follow(snapshot)
    const before = this.#hadSingletons
    this.#hadSingletons = Object.values(snapshot.plugins).some(({ singleton }) => singleton)
    if (this.#singletons === undefined || !(before || this.#hadSingletons)) return
    // whoever cannot be woken now is woken by the next isolate, or by an item
    scope.waitUntil(this.#singletons.wake().catch(() => undefined))
  }

  /** Serves one request. @param scope - its `waitUntil` */
  fetch(request: Request, scope: RequestScope): Promise<Response> {
    const { activator, live, weights } = this.#core
    const current = live.current(scope)
    const looking = activator.running?.snapshot.rollouts && weights.due(scope)
    // on the usual path the configuration is there already: no promise, no turn of the event loop
    return current instanceof Promise || looking !== undefined
      ? Promise.all([current, looking]).then(() => this.#serve(request, scope))
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
    const { running } = this.#core.activator
    const now = Date.now()
    this.#core.reports.whenDue(request, scope, now)
    if (running === undefined) {
      this.#meters.unconfigured()
      return Promise.resolve(errorResponse('config.none'))
    }
    this.#housekeeping(now)
    const io = new Exchange(scope, now)
    const { rollouts } = running.snapshot
    if (rollouts === undefined || this.#recognition === undefined) {
      return handle(this, running, request, io)
    }
    return this.#recognised(this.#recognition, running, request, io)
  }

  /** A request of a snapshot with rollouts. What is to be verified first is, once in a while. */
  #recognised(
    recognition: Recognition,
    running: Running,
    request: Request,
    io: Exchange,
  ): Promise<Response> {
    const cookies = running.rollouts?.issuedIn ?? NO_COOKIES
    const visitor = recognition.visitor(request.headers, cookies, io.startedAt)
    if (!(visitor instanceof Promise))
      return this.#answer(recognition, running, request, io, visitor)
    return visitor.then((one) => {
      const { running: now = running } = this.#core.activator
      // what ran may be gone by then, and what runs may have other cookies
      return now === running
        ? this.#answer(recognition, running, request, io, one)
        : this.#recognised(recognition, now, request, io)
    })
  }

  #answer(
    recognition: Recognition,
    running: Running,
    request: Request,
    io: Exchange,
    visitor: Visitor | undefined,
  ): Promise<Response> {
    io.visitor = visitor
    const answer = handle(this, running, request, io)
    return visitor === undefined ? answer : withGivenKeys(answer, recognition, request, visitor)
  }

  /** Reads the configuration now. */
  async refresh(scope: RequestScope): Promise<LiveConfigStatus> {
    const status = await this.#core.live.refresh(scope)
    // whoever asked wants to see what came of it
    scope.waitUntil(this.#core.reports.now(scope))
    return status
  }

  /**
   * The metrics of all isolates in Prometheus' text format, or of this one when the others cannot be had.
   * @param node - of this node's isolates alone
   */
  metrics(scope: RequestScope, node?: string): Promise<string> {
    return this.#core.reports.metrics(scope, node)
  }

  /** What becomes of a request, with what runs now or ran before. */
  async explain(
    request: ExplainRequest,
    scope: RequestScope,
  ): Promise<{ readonly explanation: Explanation } | NoExplanation> {
    await this.#core.live.current(scope)
    const { revision, snapshot, refusals } = this.#core.live.status()
    const { running } = this.#core.activator
    const { source, modules, reachable, node = PLAIN_NODE, ports } = this.#options
    const around = { source, modules, reachable, node, nodeInfo: ports?.node, pool: this.pool }
    const recognition = this.#recognition
    return explain(
      request,
      { ...around, running, revision, snapshot, refusals, recognition },
      scope,
    )
  }

  /** What makes and reads preview tokens; undefined without a secret. */
  get previewTokens(): PreviewTokens | undefined {
    return this.#recognition?.tokens
  }

  /** Whether what runs has a rollout of that name, `<namespace>.<name>`. */
  async hasRollout(id: string, scope: RequestScope): Promise<boolean> {
    await this.#core.live.current(scope)
    const { rollouts = [] } = this.#core.activator.running?.snapshot ?? {}
    return rollouts.some((rollout) => rollout.id === id)
  }

  /** What runs and what was refused. */
  async status(scope: RequestScope): Promise<GatewayStatus> {
    await this.#core.live.current(scope)
    const { running } = this.#core.activator
    const view = await this.#core.reports.view()
    return {
      ...gatewayStatus(this.#core.live.status(), this.#modules, running, this.pool),
      active: view?.active ?? this.#core.reports.active,
      nodes: view?.nodes ?? null,
      hub: this.#core.reports.hub ?? null,
    }
  }
}
