/** `testPlugin()`: a plugin in a vm of its own, for tests in vitest, node:test or anything else. */
import { InMemoryMetrics, type MetricSnapshot } from '../proxy-wasm/in-memory/metrics.ts'
import { LoadError, LogLevel, type PluginOptions, type Ports } from '../proxy-wasm/index.ts'
import { compileModule, PluginUnderTest, type TestStream } from './plugin-under-test.ts'
import { answerCallouts, type Callout, type Upstreams } from './test-callouts.ts'
import { exchange, type TestLogLine, type TestRequest, type TestResult } from './test-exchange.ts'

export interface TestPluginOptions extends Partial<
  Omit<PluginOptions, 'module' | 'configuration'>
> {
  /** The whole .wasm file. */
  readonly wasm: Uint8Array<ArrayBuffer>
  /** Text, bytes, or an object that becomes JSON. */
  readonly configuration?: string | Uint8Array<ArrayBuffer> | object
  /** Answers to the plugin's calls, by upstream. */
  readonly upstreams?: Upstreams
  /** When the plugin's clock stands still; the Unix epoch by default. */
  readonly time?: Date
  /** Ports to use in place of the tests' own. */
  readonly ports?: Partial<Ports>
}

export class TestedPlugin {
  readonly #plugin: PluginUnderTest
  readonly #callouts: Callout[]
  readonly #metrics: InMemoryMetrics

  /** Use `testPlugin()`. */
  constructor(plugin: PluginUnderTest, callouts: Callout[], metrics: InMemoryMetrics) {
    this.#plugin = plugin
    this.#callouts = callouts
    this.#metrics = metrics
  }

  /** Sends one request through the plugin, and an upstream's response back. */
  request(request: TestRequest = {}): Promise<TestResult> {
    return exchange(this.#plugin, request, this.#callouts)
  }

  /** A stream to be driven by hand: events go to its `chain`, what comes of them is in its `sink`. */
  stream(): TestStream {
    return this.#plugin.stream()
  }

  /** Lets time pass; a tick that is due comes. */
  advance(ms: number): void {
    this.#plugin.advance(ms)
  }

  /** All that was logged, from the plugin's start on. */
  get logs(): readonly TestLogLine[] {
    return this.#plugin.test.logs.map(({ level, message }) => ({ level, message }))
  }

  /** All calls so far. */
  get callouts(): readonly Callout[] {
    return this.#callouts
  }

  /** What the plugin counts. */
  get metrics(): readonly MetricSnapshot[] {
    return this.#metrics.snapshot()
  }

  /** Bytes of guest memory. */
  get memoryBytes(): number {
    return this.#plugin.memoryBytes
  }

  /** Why the plugin trapped, if it has. */
  get trap(): Error | undefined {
    return this.#plugin.plugin.lastError
  }

  /** Ends the plugin: its root context is told that it is done. */
  close(): void {
    this.#plugin.close()
  }
}

/**
 * Starts a plugin for tests.
 * @throws LoadError when the module cannot run or the plugin refuses its configuration; the message
 *   ends in what it logged
 */
export async function testPlugin(options: TestPluginOptions): Promise<TestedPlugin> {
  const { wasm, configuration = '', upstreams = {}, time = new Date(0), ports, ...rest } = options
  const callouts: Callout[] = []
  const metrics = new InMemoryMetrics()
  const text =
    typeof configuration === 'object' && !isBytes(configuration)
      ? JSON.stringify(configuration)
      : configuration
  const plugin = await PluginUnderTest.create(
    { name: 'plugin', ...rest, module: await compileModule(wasm), configuration: text },
    {
      time: BigInt(time.getTime()) * 1_000_000n,
      callout: answerCallouts(upstreams, callouts),
      ports: { metrics, ...ports },
    },
  )
  try {
    plugin.start()
  } catch (error) {
    if (!(error instanceof LoadError)) throw error
    const said = plugin.test.logs.filter(({ level }) => level >= LogLevel.Warn)
    const reasons = said.map(({ message }) => `\n  ${message}`).join('')
    throw new LoadError(error.code, error.message + reasons, { cause: error })
  }
  return new TestedPlugin(plugin, callouts, metrics)
}

function isBytes(value: object): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array
}
