/**
 * Runs plugins in the machine alone, in Node: a pool with recording ports, real modules from
 * test/fixtures and plugins/, and one call that sends a request through a chain.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  type HttpCall,
  type HttpCallOutcome,
  inMemoryPorts,
  type IoContext,
  type LoadedModule,
  type LocalReply,
  loadModule,
  type LogEntry,
  type OutboundRequest,
  Plugin,
  type PluginOptions,
  pluginSpec,
  type Ports,
  runFetchStream,
  type StreamInfo,
  VmPool,
  vmKey,
  type Watch,
} from '../../src/proxy-wasm/index.ts'

const root = new URL('../../', import.meta.url)
const loaded = new Map<string, LoadedModule>()

/** A compiled module by its path from the repository's root; compiled once per file of tests. */
export function moduleAt(path: string): LoadedModule {
  let module = loaded.get(path)
  if (module === undefined) {
    const bytes = readFileSync(new URL(path, root))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    module = loadModule(new WebAssembly.Module(bytes), sha256)
    loaded.set(path, module)
  }
  return module
}

/** The scriptable guest, in one of its four builds. */
export function probe(
  version: '0.1.0' | '0.2.0' | '0.2.1' | 'headers-only' = '0.2.1',
): LoadedModule {
  return moduleAt(`test/fixtures/probe/probe-${version}.wasm`)
}

/** One line that the probe logged: `on` names a callback, `call` a host call. */
export type ProbeLine = Readonly<Record<string, unknown>> & {
  readonly on?: string
  readonly call?: string
}

export interface Machine {
  readonly pool: VmPool
  readonly logs: LogEntry[]
  /** Calls that guests started, and how each is to end. */
  readonly calls: HttpCall[]
  /** The probes' lines in order, or those of one plugin by its name. */
  lines(plugin?: string): ProbeLine[]
  plugin(options: Omit<PluginOptions, 'name'> & { readonly name?: string }): Promise<Plugin>
  send(plugins: readonly Plugin[], options?: SendOptions): Promise<Response>
}

export interface SendOptions {
  readonly request?: Request
  readonly upstream?: (
    outbound: OutboundRequest,
  ) => Response | LocalReply | Promise<Response | LocalReply>
  readonly info?: Partial<StreamInfo>
  readonly io?: IoContext
  readonly watches?: readonly Watch[]
  /** Content codings that bodies come without here. */
  readonly decoded?: ReadonlySet<string>
}

export interface MachineOptions {
  readonly ports?: Partial<Ports>
  /** Answers callouts; refuses every upstream by default. */
  readonly callout?: (call: HttpCall) => Promise<HttpCallOutcome>
  /** Bytes of guest memory above which idle plugins lose their vm. */
  readonly memoryBudget?: number
}

/** A machine for one test. */
export function machine(options: MachineOptions = {}): Machine {
  const logs: LogEntry[] = []
  const calls: HttpCall[] = []
  const { callout } = options
  const ports = inMemoryPorts({
    log: { level: 0, log: (entry) => logs.push(entry) },
    ...(callout && {
      httpCalls: {
        start(call: HttpCall) {
          calls.push(call)
          return { outcome: callout(call), cancel: () => undefined }
        },
      },
    }),
    ...options.ports,
  })
  const pool = new VmPool(ports, options.memoryBudget)
  return {
    pool,
    logs,
    calls,
    lines: (name) =>
      logs
        .filter((entry) => entry.level === 2 && entry.message.startsWith('{'))
        .filter((entry) => name === undefined || entry.plugin === name)
        .map((entry) => JSON.parse(entry.message) as ProbeLine),
    async plugin(pluginOptions) {
      // its lines are what tests look at, and their clocks stand still
      const limits = { logLinesPerSecond: Number.POSITIVE_INFINITY, ...pluginOptions.limits }
      const spec = pluginSpec({ name: 'probe', ...pluginOptions, limits })
      return new Plugin(spec, await vmKey(spec), pool)
    },
    send(plugins, { request, upstream, info, io, decoded, watches } = {}) {
      const pending: Promise<unknown>[] = []
      return runFetchStream({
        plugins,
        watches,
        pool,
        request: request ?? new Request('http://shop.example/items?page=2'),
        io: io ?? { waitUntil: (promise) => pending.push(promise), gone: false },
        info: { startTime: pool.ports.clock.realtime(), ...info },
        forward: async (outbound) => (upstream ? upstream(outbound) : new Response('ok')),
        decoded: decoded ?? new Set(['gzip', 'deflate', 'br']),
      })
    },
  }
}

/** The probe's configuration: steps by callback. */
export function script(steps: Readonly<Record<string, readonly unknown[]>>): string {
  return JSON.stringify({ steps })
}
