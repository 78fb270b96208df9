/**
 * `postern bench`: what a plugin costs, callback by callback: nanoseconds, host heap, guest memory. A
 * measure to compare two versions by, not a promise of requests per second.
 */
import { dirname, resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { LoadError, LogLevel } from '../proxy-wasm/index.ts'
import { benchPlugin, DEFAULT_ADVANCE, type Meters } from '../testing/bench-plugin.ts'
import { PluginUnderTest } from '../testing/plugin-under-test.ts'
import { benchSuite } from '../testing/suite/bench-suite.ts'
import { settingsOf } from '../testing/suite/run-suite.ts'
import { BENCH_HELP, type BenchArguments, benchArguments } from './bench-arguments.ts'
import { printCost, printFailures } from './bench-table.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { loadPlugin, loadSuite, pathsOf, readBytes, readTestFile } from './test.ts'

/**
 * @param args - after `bench`
 * @returns 0 when measured, 1 when a test that was to be measured fails
 * @throws CommandError for files that cannot be read, a plugin that does not run, and a test file that
 *   marks nothing
 */
export async function bench(args: string[], io: CliIo): Promise<number> {
  const values = benchArguments(args)
  if (values.help) {
    io.stdout(BENCH_HELP)
    return 0
  }
  return values.proto === undefined ? benchSimple(values, io) : benchTests(values.proto, values, io)
}

/** One small exchange of our own. */
async function benchSimple(values: BenchArguments, io: CliIo): Promise<number> {
  const { plugin: file = '', config, batches, json, streams = 0, advance } = values
  const configuration =
    config === undefined ? new Uint8Array(0) : await readBytes(resolve(io.cwd, config), config)
  const plugin = await PluginUnderTest.create(
    { name: 'plugin', module: await loadPlugin(io, file), configuration },
    { time: 0n, logLevel: LogLevel.Error, callout: () => undefined },
  )
  const meters = hostMeters()
  const before = meters.now()
  try {
    plugin.start()
  } catch (error) {
    if (!(error instanceof LoadError)) throw error
    throw new CommandError('cli.module_refused', `${file} does not start: ${error.message}`)
  }
  const startNanoseconds = Math.round(meters.now() - before)
  const background = { streams, advance: advance ?? DEFAULT_ADVANCE }
  const cost = benchPlugin({ plugin, meters, batches, background })
  const trap = plugin.plugin.lastError
  if (trap !== undefined) {
    throw new CommandError('cli.module_refused', `${file} trapped: ${trap.message}`)
  }
  io.stdout(
    json
      ? printJson({ plugin: file, startNanoseconds, ...cost })
      : printCost(file, startNanoseconds, cost),
  )
  return 0
}

/** What the marked tests of a file send. */
async function benchTests(file: string, values: BenchArguments, io: CliIo): Promise<number> {
  const suite = await loadSuite(io, file)
  const { plugin, config } = pathsOf(io, file, suite, values)
  const { env } = suite
  const results = await benchSuite({
    suite,
    file,
    settings: settingsOf({
      suite,
      module: await loadPlugin(io, plugin),
      configuration:
        config === undefined ? new Uint8Array(0) : await readBytes(resolve(io.cwd, config), config),
      readFile: (path) => readTestFile(dirname(resolve(io.cwd, file)), path),
    }),
    meters: hostMeters(),
    batches: values.batches,
    background: {
      streams: values.streams ?? env?.num_additional_streams ?? 0,
      // 0 is "not said" in the format
      advance: values.advance ?? (env?.additional_stream_advance_rate || DEFAULT_ADVANCE),
    },
    only: values.only,
  })
  if (results.length === 0) {
    const which =
      values.only === undefined ? '' : ` whose name holds ${JSON.stringify(values.only)}`
    const message = `${file} has no test with benchmark: true${which}.`
    throw new CommandError('bench.nothing_marked', message)
  }
  const failed = results.some((result) => 'failures' in result)
  if (values.json) {
    const tests = results.map((result) =>
      'cost' in result
        ? { name: result.name, startNanoseconds: result.startNanoseconds, ...result.cost }
        : result,
    )
    io.stdout(printJson({ plugin, tests }))
  } else {
    for (const result of results) {
      io.stdout(
        'cost' in result
          ? printCost(result.name, result.startNanoseconds, result.cost)
          : printFailures(result),
      )
    }
  }
  return failed ? 1 : 0
}

const printJson = (result: object): string => `${JSON.stringify(result, null, 2)}\n`

function hostMeters(): Meters {
  // the flag makes gc() appear in new contexts, without a flag on the command line
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return {
    now: () => Number(process.hrtime.bigint()),
    heap: () => process.memoryUsage().heapUsed,
    collect,
  }
}
