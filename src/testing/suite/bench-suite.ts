/** The tests of a suite that ask for it (`benchmark: true`), measured with what they send. */
import { describeError } from '../../proxy-wasm/index.ts'
import { byteStringToBytes } from '../../proxy-wasm/memory/byte-string.ts'
import type { BenchExchange, BenchMessage } from '../bench-exchange.ts'
import { type Background, benchPlugin, type Meters, type PluginCost } from '../bench-plugin.ts'
import type { Invocation, Suite, SuiteTest } from '../format/read-suite.ts'
import { PluginUnderTest } from '../plugin-under-test.ts'
import { chunkBody } from './chunk-body.ts'
import { readBody, readHeaders } from './read-input.ts'
import { runTest, type TestSettings } from './run-test.ts'
import type { ReadFile } from './test-files.ts'

export interface MeasuredTest {
  readonly name: string
  readonly startNanoseconds: number
  readonly cost: PluginCost
}

/** A test that fails is not measured: its numbers would be those of something else. */
export interface FailedTest {
  readonly name: string
  /** `file:line: phase: what is wrong`. */
  readonly failures: readonly string[]
}

export interface SuiteBenchOptions {
  readonly suite: Suite
  /** As messages name it. */
  readonly file: string
  readonly settings: TestSettings
  readonly meters: Meters
  /** How many batches of 100 streams for each test. */
  readonly batches: number
  readonly background: Background
  /** Tests whose name does not hold this are left out. */
  readonly only?: string | undefined
}

/**
 * Runs each marked test, then measures it in a plugin of its own. Never rejects for what a plugin or a
 * test does.
 * @returns what was measured or failed, in the order of the file; empty when no test is marked
 */
export async function benchSuite(
  options: SuiteBenchOptions,
): Promise<(MeasuredTest | FailedTest)[]> {
  const { suite, file, only = '', settings } = options
  const results: (MeasuredTest | FailedTest)[] = []
  for (const test of suite.test) {
    const { name } = test
    if (test.benchmark !== true || !name.includes(only)) continue
    const { failures } = await runTest(test, settings)
    if (failures.length === 0) results.push(await measure(test, options))
    else {
      const lines = failures.map(({ line, message }) => `${file}:${line}: ${message}`)
      results.push({ name, failures: lines })
    }
  }
  return results
}

async function measure(
  test: SuiteTest,
  { file, settings, meters, batches, background }: SuiteBenchOptions,
): Promise<MeasuredTest | FailedTest> {
  const { module, configuration, logLevel, time, readFile } = settings
  const { name } = test
  const plugin = await PluginUnderTest.create(
    { name: 'plugin', module, configuration },
    { time, logLevel, callout: () => undefined },
  )
  const exchange = await exchangeOf(test, readFile)
  const before = meters.now()
  plugin.start()
  const startNanoseconds = Math.round(meters.now() - before)
  const cost = benchPlugin({ plugin, meters, batches, exchange, background })
  const trap = plugin.plugin.lastError
  plugin.close()
  if (trap === undefined) return { name, startNanoseconds, cost }
  const reason = `it passed once, then the plugin trapped: ${describeError(trap)}`
  return { name, failures: [`${file}:${test.at.line}: benchmark: ${reason}`] }
}

/** @throws TestFileError for input that cannot be read, which the test itself would have said */
async function exchangeOf(test: SuiteTest, readFile: ReadFile): Promise<BenchExchange> {
  const message = async (direction: 'request' | 'response'): Promise<BenchMessage> => {
    const invocation: Invocation | undefined = test[`${direction}_headers`]
    const headers = invocation && (await readHeaders(invocation.input, direction, readFile)).lines
    const chunks: Uint8Array<ArrayBuffer>[] = []
    for (const { input } of test[`${direction}_body`]) {
      chunks.push(...chunkBody(await readBody(input, readFile), test))
    }
    return { headers, chunks }
  }
  return {
    request: await message('request'),
    response: await message('response'),
    properties: new Map(
      test.properties.map(({ path, value = '' }) => [path, byteStringToBytes(value)]),
    ),
  }
}
