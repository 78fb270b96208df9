/**
 * A snapshot in vms of its own, through which one request may go without anybody else noticing: shared
 * data, queues and metrics are its own and empty, and nothing leaves it unless it is told to. The request
 * takes the gateway's own path (`handle.ts`); only what is around it differs.
 */
import type { RequestScope } from '../../config/activation.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { envoyFunctions } from '../../foreign/index.ts'
import { Counter } from '../../observe/index.ts'
import {
  inMemoryPorts,
  type IoContext,
  LogLevel,
  type NodeInfo,
  runIn,
  VmPool,
} from '../../proxy-wasm/index.ts'
import { Activator } from '../activate.ts'
import { Exchange } from '../exchange.ts'
import { grpcCallsPort } from '../grpc-calls.ts'
import { handle } from '../handle.ts'
import { httpCallsPort } from '../http-calls.ts'
import { Meters } from '../meters.ts'
import type { ModuleSource } from '../modules.ts'
import type { GatewayNode } from '../node.ts'
import { RoutedRequest } from '../routed-request.ts'
import type { Running } from '../running.ts'
import { SingletonQueues } from '../singletons.ts'
import { type Reachable, type Upstream } from '../upstream.ts'
import { UpstreamTable } from '../upstream-table.ts'
import { recordedReach } from './asked.ts'
import type { AskedView, RunView } from './explanation.ts'
import { Watch } from './watch.ts'

export interface SandboxOptions {
  readonly modules: ModuleSource
  readonly node: GatewayNode
  /** Who the gateway is for plugins. */
  readonly nodeInfo: NodeInfo | undefined
  /** What the gateway can reach. */
  readonly reachable: Reachable
  /** Whether requests and callouts really leave. */
  readonly leave: boolean
}

/** Of a body that is text. */
const SHOWN_CHARACTERS = 2_000
const TEXT = /^text\/|json|xml|javascript|x-www-form-urlencoded/

export class Sandbox {
  readonly running: Running
  readonly pool: VmPool
  readonly #watch: Watch
  readonly #asked: AskedView[]

  private constructor(running: Running, pool: VmPool, watch: Watch, asked: AskedView[]) {
    this.running = running
    this.pool = pool
    this.#watch = watch
    this.#asked = asked
  }

  /** Makes one. No vm is started yet. */
  static async open(
    snapshot: Snapshot,
    options: SandboxOptions,
    scope: RequestScope,
  ): Promise<Sandbox> {
    const { modules, node, nodeInfo, reachable, leave } = options
    const asked: AskedView[] = []
    const watch = new Watch(LogLevel.Debug)
    const meters = new Meters()
    const sharedQueues = new SingletonQueues({ enqueue: async () => undefined }, new Counter())
    sharedQueues.follow(snapshot)
    const callouts = new UpstreamTable(
      snapshot.upstreams,
      recordedReach('plugin', reachable, leave, asked),
      meters,
    )
    const callable = (plugin: string, name: string): Upstream | undefined => {
      const found = activator.running?.callable(plugin, name)
      return found && callouts.get(found.name)
    }
    const pool = new VmPool(
      inMemoryPorts({
        log: watch.log,
        httpCalls: httpCallsPort(callable),
        grpcCalls: grpcCallsPort(callable),
        foreignFunctions: envoyFunctions(),
        sharedQueues,
        ...(nodeInfo && { node: nodeInfo }),
      }),
    )
    const activator = new Activator({
      modules,
      pool,
      reachable: recordedReach('gateway', reachable, leave, asked),
      meters,
      node,
      runs: ({ singleton }) => singleton !== true,
    })
    const { running } = await activator.activate(snapshot, scope, () => undefined)
    return new Sandbox(running, pool, watch, asked)
  }

  /** Runs one request through, to the end of its answer. */
  async run(request: Request): Promise<RunView> {
    const background: Promise<unknown>[] = []
    const exchange = new Exchange({ waitUntil: (work) => void background.push(work) }, Date.now())
    const io: IoContext = { waitUntil: (work) => void background.push(work), gone: false }
    runIn(io, () => {
      // the same question that handling asks
      for (const plugin of new RoutedRequest(this.pool, this.running, request, exchange).plugins) {
        const root = plugin.acquire()
        if (root !== undefined) this.#watch.follow(plugin, root)
      }
    })
    const response = await handle(this, this.running, request, exchange)
    const body = new Uint8Array(await response.arrayBuffer())
    // what belongs to the stream's end runs behind the answer
    await Promise.allSettled(background)
    runIn(io, () => {
      for (const plugin of this.running.plugins.values()) plugin.retire()
    })
    return this.#view(response, body)
  }

  #view(response: Response, body: Uint8Array): RunView {
    const { status, headers } = response
    const text = TEXT.test(headers.get('content-type') ?? '')
      ? new TextDecoder().decode(body).slice(0, SHOWN_CHARACTERS)
      : ''
    return {
      asked: this.#asked,
      steps: this.#watch.steps,
      logs: this.#watch.lines,
      response: { status, headers: [...headers], bytes: body.length, text },
    }
  }
}
