/**
 * One test: a plugin of its own, one stream through it, phase after phase, and what each came to beside
 * what was expected of it.
 */
import {
  describeError,
  type Direction,
  LoadError,
  type LogEntry,
  LogLevel,
} from '../../proxy-wasm/index.ts'
import type { LoadedModule } from '../../proxy-wasm/index.ts'
import { byteStringToBytes, textToByteString } from '../../proxy-wasm/memory/byte-string.ts'
import type { Place } from '../format/fields.ts'
import type { Expectation, Invocation, SuiteTest } from '../format/read-suite.ts'
import { PluginUnderTest, type TestStream } from '../plugin-under-test.ts'
import { checkLog, checkOutcome, type Mismatch } from './check-outcome.ts'
import { chunkBody } from './chunk-body.ts'
import { outcomeOf } from './outcome.ts'
import { readBody, readHeaders } from './read-input.ts'
import { type ReadFile, TestFileError } from './test-files.ts'

export interface TestSettings {
  readonly module: LoadedModule
  readonly configuration: Uint8Array<ArrayBuffer>
  readonly logLevel: LogLevel
  /** Nanoseconds since the Unix epoch, for the whole test. */
  readonly time: bigint
  readonly readFile: ReadFile
}

export interface TestRun {
  /** What failed, with its place in the test file and its phase in front. */
  readonly failures: readonly Mismatch[]
  readonly logs: readonly LogEntry[]
}

/** Runs a test. Never rejects for what a plugin or a test file does. */
export async function runTest(test: SuiteTest, settings: TestSettings): Promise<TestRun> {
  const { module, configuration, logLevel, time } = settings
  const plugin = await PluginUnderTest.create(
    { name: 'plugin', module, configuration },
    // the format knows no callouts: nothing is declared
    { time, logLevel, callout: () => undefined },
  )
  const run = new RunningTest(test, plugin, settings.readFile)
  await run.all()
  return { failures: run.failures, logs: plugin.test.logs }
}

type Phase = 'request_headers' | 'request_body' | 'response_headers' | 'response_body'

class RunningTest {
  readonly failures: Mismatch[] = []
  readonly #test: SuiteTest
  readonly #plugin: PluginUnderTest
  readonly #readFile: ReadFile
  #answeredIn: Phase | undefined

  constructor(test: SuiteTest, plugin: PluginUnderTest, readFile: ReadFile) {
    this.#test = test
    this.#plugin = plugin
    this.#readFile = readFile
  }

  async all(): Promise<void> {
    const test = this.#test
    try {
      this.#plugin.start()
    } catch (error) {
      if (!(error instanceof LoadError)) throw error
      // the last line stands in the message already
      const said = this.#plugin.test.logs.filter(
        ({ level, message }) => level >= LogLevel.Warn && !error.message.includes(message),
      )
      const reasons = said.map(({ message }) => `\n  ${message}`).join('')
      this.#failed('plugin_init', test.plugin_init?.at ?? test.at, error.message + reasons)
    }
    await this.#lifecycle('plugin_init', test.plugin_init)
    if (this.failures.length > 0) return

    const given = test.properties.map(
      ({ path, value = '' }) => [path, byteStringToBytes(value)] as const,
    )
    const stream = this.#plugin.stream(new Map(given))
    stream.chain.begin()
    this.#trapped('stream_init', test.stream_init?.at ?? test.at)
    await this.#lifecycle('stream_init', test.stream_init)
    await this.#direction(stream, 'request', test.request_headers, test.request_body)
    await this.#direction(stream, 'response', test.response_headers, test.response_body)
    stream.chain.end()
    this.#trapped('stream_destroy', test.stream_destroy?.at ?? test.at)
    await this.#lifecycle('stream_destroy', test.stream_destroy)
  }

  async #direction(
    stream: TestStream,
    direction: Direction,
    headers: Invocation | undefined,
    bodies: readonly Invocation[],
  ): Promise<void> {
    const { chain } = stream
    if (headers !== undefined) {
      await this.#phase(stream, `${direction}_headers`, headers, async () => {
        const map = await readHeaders(headers.input, direction, this.#readFile)
        const end = bodies.length === 0
        if (direction === 'request') chain.receiveRequestHeaders(map, end)
        else chain.receiveResponseHeaders(map, end)
      })
    }
    for (const [index, body] of bodies.entries()) {
      await this.#phase(stream, `${direction}_body`, body, async () => {
        const pieces = chunkBody(await readBody(body.input, this.#readFile), this.#test)
        for (const [at, piece] of pieces.entries()) {
          const end = index === bodies.length - 1 && at === pieces.length - 1
          if (direction === 'request') chain.receiveRequestData(piece, end)
          else chain.receiveResponseData(piece, end)
        }
      })
    }
  }

  async #phase(
    stream: TestStream,
    phase: Phase,
    { at, result }: Invocation,
    event: () => Promise<void>,
  ): Promise<void> {
    if (this.#answeredIn !== undefined) {
      if (result === undefined) return
      this.#failed(phase, result.at, `it did not come to this: answered in ${this.#answeredIn}`)
      return
    }
    await this.#reading(phase, at, async () => {
      await event()
      const direction = phase.startsWith('request') ? 'request' : 'response'
      const outcome = outcomeOf(stream, direction, this.#plugin.takeLogs())
      if (outcome.reply !== undefined) this.#answeredIn = phase
      // a trap explains all that is wrong behind it
      if (this.#trapped(phase, at) || result === undefined) return
      this.#add(phase, await checkOutcome(result, outcome, this.#readFile))
    })
  }

  async #lifecycle(phase: string, expected: Expectation | undefined): Promise<void> {
    const log = this.#plugin.takeLogs().map(({ message }) => textToByteString(message))
    if (expected === undefined) return
    await this.#reading(phase, expected.at, async () =>
      this.#add(phase, await checkLog(expected, log, this.#readFile)),
    )
  }

  /** Runs what reads files; one that cannot be read fails the phase. */
  async #reading(phase: string, at: Place, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof TestFileError)) throw error
      this.#failed(phase, at, error.message)
    }
  }

  #trapped(phase: string, at: Place): boolean {
    const { lastError } = this.#plugin.plugin
    if (lastError === undefined) return false
    const said = this.failures.some(({ message }) => message.includes('the plugin trapped'))
    if (!said) this.#failed(phase, at, `the plugin trapped: ${describeError(lastError)}`)
    return true
  }

  #add(phase: string, mismatches: readonly Mismatch[]): void {
    for (const { message, ...at } of mismatches) this.#failed(phase, at, message)
  }

  #failed(phase: string, { line, column }: Place, message: string): void {
    this.failures.push({ line, column, message: `${phase}: ${message}` })
  }
}
