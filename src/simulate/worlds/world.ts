/**
 * A gateway of its own for one version of a plugin: vms, shared data, queues, metrics and time, in which
 * the whole chain of each request runs as in the real one, and out of which nothing leads.
 */
import type { PluginId, Snapshot } from '../../config/snapshot.ts'
import { envoyFunctions } from '../../foreign/index.ts'
import { Activator } from '../../gateway/activate.ts'
import { Exchange } from '../../gateway/exchange.ts'
import { Meters } from '../../gateway/meters.ts'
import type { ModuleSource } from '../../gateway/modules.ts'
import type { GatewayNode } from '../../gateway/node.ts'
import type { Running } from '../../gateway/running.ts'
import { SingletonQueues } from '../../gateway/singletons.ts'
import type { Reachable } from '../../gateway/upstream.ts'
import { Counter } from '../../observe/index.ts'
import {
  type Decided,
  describeError,
  inMemoryPorts,
  type LogEntry,
  LogLevel,
  type Plugin,
  runFetchStream,
  runIn,
  standaloneIo,
  type Verdict,
  VmPool,
} from '../../proxy-wasm/index.ts'
import { SeededRandom, seedOf } from '../seeded-random.ts'
import { type CalloutAnswer, DEFAULT_ANSWER, type RecordedExchange } from '../traffic/exchange.ts'
import { CannedCalls } from './canned-calls.ts'
import { GuestTime } from './guest-time.ts'
import { SimulatedRequest } from './simulated-request.ts'
import { verdictOf } from './verdict-of.ts'
import { VirtualTime } from './virtual-time.ts'

export interface WorldOptions {
  readonly snapshot: Snapshot
  /** The plugin that is looked at. */
  readonly plugin: PluginId
  readonly modules: ModuleSource
  readonly node: GatewayNode
  /** Answers to callouts of every request. */
  readonly callouts: readonly CalloutAnswer[]
  /** What the wall clock shows first, in milliseconds since the Unix epoch. */
  readonly epoch: number
  readonly seed: number
}

/** What came of one request in one world. */
export interface Ran {
  readonly verdict: Verdict
  /** Within the plugin's callbacks. */
  readonly ms: number
  readonly hostCalls: number
  readonly callouts: number
  /** Upstream, method and path of those that nobody answered. */
  readonly blocked: readonly string[]
  /** Traps of the plugin. */
  readonly traps: number
  /** Why it failed, and what it wrote to its log as errors. */
  readonly said: readonly string[]
}

/** Of a version that does not start: why, and what it logged. */
export interface NotStarted {
  readonly reason: string
  readonly logs: readonly string[]
}

/** Lines of a request, or of a start. */
const LINES_MAX = 20

const NOTHING: Reachable = {
  network: { fetch: () => Promise.reject(new Error('nothing leaves a simulation')) },
  service: () => NOTHING.network,
}

export class World {
  readonly running: Running
  readonly pool: VmPool
  readonly plugin: Plugin
  readonly #surroundings: Surroundings
  /** What goes on behind answers. */
  readonly #background: Promise<unknown>[] = []

  private constructor(running: Running, pool: VmPool, plugin: Plugin, surroundings: Surroundings) {
    this.running = running
    this.pool = pool
    this.plugin = plugin
    this.#surroundings = surroundings
  }

  /** Makes one and starts the plugin in it; the others start when a request needs them. */
  static async open(options: WorldOptions): Promise<World | NotStarted> {
    const { snapshot, modules, node } = options
    const surroundings = new Surroundings(
      options,
      (plugin, upstream) => activator.running?.callable(plugin, upstream)?.name,
    )
    const { time, random, calls, entries, decided } = surroundings
    const sharedQueues = new SingletonQueues({ enqueue: async () => undefined }, new Counter())
    sharedQueues.follow(snapshot)
    const ports = inMemoryPorts({
      clock: time.clock,
      timers: time.timers,
      random: { fill: (bytes) => random().fill(bytes) },
      log: { level: LogLevel.Error, log: (entry) => void entries.push(entry) },
      httpCalls: calls.http,
      grpcCalls: calls.grpc,
      foreignFunctions: envoyFunctions(),
      decisions: { decided: (decision) => void decided.push(decision) },
      sharedQueues,
    })
    // no plugin goes to sleep here: it would forget what it knows
    const pool = new VmPool(ports, Number.POSITIVE_INFINITY)
    const activator = new Activator({
      modules,
      pool,
      reachable: NOTHING,
      meters: new Meters(),
      node,
      runs: ({ singleton }) => singleton !== true,
      counted: new Set([options.plugin]),
    })
    const { running } = await activator.activate(
      snapshot,
      { waitUntil: () => undefined },
      () => undefined,
    )
    const plugin = running.plugins.get(options.plugin)
    if (plugin === undefined) return { reason: 'it is not for a node with these labels', logs: [] }
    try {
      runIn(standaloneIo(), () => plugin.start())
    } catch (error) {
      return { reason: describeError(error), logs: surroundings.said() }
    }
    return new World(running, pool, plugin, surroundings)
  }

  /** Milliseconds until every plugin that has failed may be started again; 0: now. */
  get backOffMs(): number {
    const latest = Array.from(this.running.plugins.values(), ({ retryAtMs }) => retryAtMs)
    return Math.max(0, Math.max(0, ...latest) - this.pool.now())
  }

  /** Lets time pass between two requests. @param at - what the wall clock shows then, where that is known */
  pass(ms: number, at: number | undefined): void {
    this.#surroundings.time.pass(ms)
    if (at !== undefined) this.#surroundings.time.set(at)
  }

  /** The request as this gateway routes it, before anything runs. */
  route(request: Request): SimulatedRequest {
    const exchange = new Exchange({ waitUntil: (work) => void this.#background.push(work) }, 0)
    return new SimulatedRequest(this.pool, this.running, request, exchange)
  }

  /** Runs one request through, to the end of its answer and of what goes on behind it. */
  async run(request: Request, { answer, callouts, place }: RecordedExchange): Promise<Ran> {
    const { calls, guest, decided } = this.#surroundings
    this.#surroundings.begin(place, callouts)
    const { counts } = this.plugin
    const traps = counts.traps
    const routed = this.route(request).answeredWith(answer ?? DEFAULT_ANSWER)
    let hostCalls = 0
    const ended = (tally: { readonly hostCalls: number }): void =>
      void (hostCalls += tally.hostCalls)
    routed.watches = [{ plugin: this.plugin, observer: { ended } }]
    runIn(routed.io, () => {
      const root = this.plugin.acquire()
      if (root !== undefined) guest.follow(root.vm)
    })
    const response = await runFetchStream(routed)
    const body = await response.arrayBuffer().then(
      (bytes) => new Uint8Array(bytes),
      () => undefined,
    )
    // what is begun in the background may begin more
    while (this.#background.length > 0) await Promise.allSettled(this.#background.splice(0))
    const verdict = verdictOf(routed, response, body, decided)
    const trapped = counts.traps - traps
    const why = trapped > 0 ? [describeError(this.plugin.lastError)] : []
    return {
      verdict,
      ms: guest.ms,
      hostCalls,
      callouts: calls.made,
      blocked: [...calls.blocked],
      traps: trapped,
      said: [...why, ...this.#surroundings.said()],
    }
  }

  /** Ends all that still waits. */
  close(): void {
    this.#surroundings.time.stop()
  }
}

/** What is around the vms of a world, and what it hears of them. */
class Surroundings {
  readonly time: VirtualTime
  readonly calls: CannedCalls
  readonly guest: GuestTime = new GuestTime()
  readonly entries: LogEntry[] = []
  readonly decided: Decided[] = []
  readonly #seed: number
  #random: SeededRandom

  constructor(
    { epoch, seed, callouts }: WorldOptions,
    find: (plugin: string, upstream: string) => string | undefined,
  ) {
    this.time = new VirtualTime(epoch)
    this.calls = new CannedCalls(find, callouts)
    this.#seed = seed
    this.#random = new SeededRandom(seed)
  }

  readonly random = (): SeededRandom => this.#random

  /** Another request: both worlds draw the same numbers in it, whatever they drew before. */
  begin(place: string, callouts: readonly CalloutAnswer[]): void {
    this.#random = new SeededRandom(seedOf(this.#seed, place))
    this.calls.begin(callouts)
    this.guest.reset()
    this.entries.length = 0
    this.decided.length = 0
  }

  said(): string[] {
    return this.entries.slice(0, LINES_MAX).map(({ message }) => message)
  }
}
