/**
 * `postern bench`: what a plugin costs, callback by callback: nanoseconds, host heap, guest memory. A
 * measure to compare two versions by, not a promise of requests per second.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { LoadError, LogLevel } from '../proxy-wasm/index.ts'
import { benchPlugin, type Meters, type PluginCost } from '../testing/bench-plugin.ts'
import { PluginUnderTest } from '../testing/plugin-under-test.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { formatTable } from './print.ts'
import { loadPlugin, readBytes } from './test.ts'

const HELP = `postern bench --plugin FILE.wasm [options]

Sends small requests and responses through a plugin and says what each callback costs: nanoseconds,
bytes of host heap, and how guest memory grew. What the plugin writes to the log is dropped.

  --plugin FILE.wasm  the plugin
  --config FILE       its configuration
  --batches N         how many batches of 100 streams (default 300)
  --json              print the result as JSON
  --help

Exit codes: 0 measured, 1 the plugin does not run, 2 called wrongly.
`

const DEFAULT_BATCHES = 300

/**
 * @param args - after `bench`
 * @returns 0 when measured
 * @throws CommandError for files that cannot be read and a plugin that does not run
 */
export async function bench(args: string[], io: CliIo): Promise<number> {
  const { help, plugin: file = '', config, batches, json } = parse(args)
  if (help) {
    io.stdout(HELP)
    return 0
  }
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
  const cost = benchPlugin({ plugin, meters, batches })
  const trap = plugin.plugin.lastError
  if (trap !== undefined) {
    throw new CommandError('cli.module_refused', `${file} trapped: ${trap.message}`)
  }
  io.stdout(
    json
      ? `${JSON.stringify({ plugin: file, startNanoseconds, ...cost }, null, 2)}\n`
      : printed(file, startNanoseconds, cost),
  )
  return 0
}

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

function parse(args: string[]): {
  readonly plugin?: string | undefined
  readonly config?: string | undefined
  readonly batches: number
  readonly json?: boolean | undefined
  readonly help?: boolean | undefined
} {
  try {
    const { values } = parseArgs({
      args,
      options: {
        plugin: { type: 'string' },
        config: { type: 'string' },
        batches: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const batches = Number(values.batches ?? DEFAULT_BATCHES)
    if (!Number.isInteger(batches) || batches < 1) throw new Error('--batches is 1 or more')
    if (!values.help && values.plugin === undefined) throw new Error('Which plugin? --plugin FILE')
    return { ...values, batches }
  } catch (error) {
    throw new CommandError('cli.usage', error instanceof Error ? error.message : String(error))
  }
}

function printed(file: string, start: number, cost: PluginCost): string {
  const { phases, streams, nanoseconds, heapBytes, guestMemory } = cost
  const row = (...cells: readonly string[]): string[] =>
    cells.map((cell, at) => (at < 2 ? cell : cell.padStart(9)))
  const whole = (number: number): string => Math.round(number).toLocaleString('en')
  const rows = [
    row('  phase', 'callbacks', 'plugin ns', 'chain ns', 'heap B'),
    ...phases.map((phase) =>
      row(
        `  ${phase.phase}`,
        phase.callbacks,
        whole(phase.nanoseconds),
        whole(phase.chainNanoseconds),
        whole(phase.heapBytes),
      ),
    ),
    row('  one stream', '', whole(nanoseconds), '', whole(heapBytes)),
  ]
  const grown = guestMemory.ended - guestMemory.started
  return [
    `${file}: ${whole(streams)} streams, medians; started in ${(start / 1e6).toFixed(1)} ms\n`,
    formatTable(rows),
    `  guest memory ${whole(guestMemory.started / 1024)} KiB, grown by ${whole(grown / 1024)} KiB\n`,
  ].join('')
}
