/**
 * A plugin under test: a module's bytes in a vm of its own with test ports. Streams through it run the
 * gateway's own chain; only the sink differs.
 */
import { inspect } from '../proxy-wasm/abi/inspect.ts'
import {
  Chain,
  type IoContext,
  LoadError,
  loadModule,
  type LogEntry,
  Plugin,
  type PluginOptions,
  pluginSpec,
  runIn,
  standaloneIo,
  VmPool,
  vmKey,
} from '../proxy-wasm/index.ts'
import type { LoadedModule } from '../proxy-wasm/index.ts'
import type { Strand } from '../proxy-wasm/vm/strand.ts'
import { RecordingSink } from './recording-sink.ts'
import { type TestPorts, testPorts, type TestPortsOptions } from './test-ports.ts'

/**
 * Compiles a module.
 * @param wasm - a whole .wasm file
 * @throws LoadError `module.invalid` with every reason why it cannot run
 */
export async function compileModule(wasm: Uint8Array<ArrayBuffer>): Promise<LoadedModule> {
  const report = inspect(wasm)
  if (!report.ok) {
    throw new LoadError('module.invalid', report.problems.map(({ message }) => message).join(' '))
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', wasm))
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return loadModule(await WebAssembly.compile(wasm), sha256, {
    importedMemory: report.importedMemory ?? undefined,
    importedTable: report.importedTable ?? undefined,
  })
}

/** One stream through the plugin: events go to `chain`, what comes of them is in `sink`. */
export interface TestStream {
  readonly chain: Chain
  readonly sink: RecordingSink
}

export class PluginUnderTest {
  readonly plugin: Plugin
  readonly io: IoContext = standaloneIo()
  readonly #pool: VmPool
  readonly #test: TestPorts
  #read = 0

  private constructor(plugin: Plugin, pool: VmPool, test: TestPorts) {
    this.plugin = plugin
    this.#pool = pool
    this.#test = test
  }

  /** Makes it ready; the vm starts with `start()` or the first stream. */
  static async create(options: PluginOptions, ports: TestPortsOptions): Promise<PluginUnderTest> {
    const test = testPorts(ports)
    const pool = new VmPool(test.ports)
    // the clock stands still: no second ever passes, and an author wants to see all
    const limits = { logLinesPerSecond: Number.POSITIVE_INFINITY, ...options.limits }
    const spec = pluginSpec({ ...options, limits })
    return new PluginUnderTest(new Plugin(spec, await vmKey(spec), pool), pool, test)
  }

  get test(): TestPorts {
    return this.#test
  }

  /** Bytes of guest memory. */
  get memoryBytes(): number {
    return this.#pool.memoryBytes
  }

  /** Shared by all of its streams. */
  get strand(): Strand {
    return this.#pool.strand
  }

  /** Drops all log lines so far. */
  forgetLogs(): void {
    this.#test.logs.length = 0
    this.#read = 0
  }

  /** @throws LoadError when the plugin does not come up */
  start(): void {
    runIn(this.io, () => this.plugin.start())
  }

  /** A new stream. @param given - properties that come before what the stream itself knows */
  stream(given?: ReadonlyMap<string, Uint8Array>): TestStream {
    const sink = new RecordingSink()
    const chain = new Chain({
      plugins: [this.plugin],
      io: this.io,
      strand: this.#pool.strand,
      sink,
      info: { startTime: this.#test.clock.realtime(), given },
    })
    return { chain, sink }
  }

  /** Log lines since this was last asked. */
  takeLogs(): readonly LogEntry[] {
    const { logs } = this.#test
    const fresh = logs.slice(this.#read)
    this.#read = logs.length
    return fresh
  }

  /** Lets time pass, then runs what is due: ticks, callouts that nobody answered. */
  advance(ms: number): void {
    this.#test.clock.advance(ms)
    runIn(this.io, () => void this.plugin.acquire())
  }

  /** Ends the plugin as a gateway does that no longer uses it. */
  close(): void {
    runIn(this.io, () => this.plugin.retire())
  }
}
