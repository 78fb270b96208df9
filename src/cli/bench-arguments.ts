/** How `postern bench` is called. */
import { parseArgs } from 'node:util'
import { ADDITIONAL_STREAMS_MAX } from '../testing/format/read-suite.ts'
import { CommandError } from './command-error.ts'

export const BENCH_HELP = `postern bench --plugin FILE.wasm [options]
postern bench --proto TESTS [options]

Sends requests and responses through a plugin and says what each callback costs: nanoseconds, bytes of
host heap, and how guest memory grew. Without --proto the requests are small ones of its own; with it
they are those of the tests that say "benchmark: true", each of which must pass first.

  --plugin FILE.wasm  the plugin (default: env.wasm_path of the test file)
  --config FILE       its configuration (default: env.config_path of the test file)
  --proto TESTS       a test file, as for postern test
  --only TEXT         measure the marked tests whose name holds this
  --batches N         how many batches of 100 streams (default 300)
  --num_additional_streams N
                      streams that are open besides (default: as the test file says, or 0)
  --additional_stream_advance_rate N
                      how many of these go on by a phase for each stream that is measured (default: as
                      the test file says, or 3)
  --json              print the result as JSON
  --help

Exit codes: 0 measured, 1 the plugin does not run or a test fails, 2 called wrongly.
`

const DEFAULT_BATCHES = 300

export interface BenchArguments {
  readonly plugin?: string | undefined
  readonly config?: string | undefined
  readonly proto?: string | undefined
  readonly only?: string | undefined
  readonly batches: number
  readonly streams?: number | undefined
  readonly advance?: number | undefined
  readonly json?: boolean | undefined
  readonly help?: boolean | undefined
}

/** @throws CommandError `cli.usage` */
export function benchArguments(args: string[]): BenchArguments {
  try {
    const { values } = parseArgs({
      args,
      options: {
        plugin: { type: 'string' },
        config: { type: 'string' },
        proto: { type: 'string' },
        only: { type: 'string' },
        batches: { type: 'string' },
        num_additional_streams: { type: 'string' },
        additional_stream_advance_rate: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const {
      batches = String(DEFAULT_BATCHES),
      num_additional_streams: streams,
      additional_stream_advance_rate: advance,
      ...rest
    } = values
    const calledRightly = values.plugin !== undefined || values.proto !== undefined
    if (!values.help && !calledRightly) throw new Error('Which plugin? --plugin FILE')
    if (values.only !== undefined && values.proto === undefined) {
      throw new Error('--only picks tests: it needs --proto TESTS')
    }
    return {
      ...rest,
      batches: wholeNumber('batches', batches, 1, Number.MAX_SAFE_INTEGER),
      streams:
        streams === undefined
          ? undefined
          : wholeNumber('num_additional_streams', streams, 0, ADDITIONAL_STREAMS_MAX),
      advance:
        advance === undefined
          ? undefined
          : wholeNumber('additional_stream_advance_rate', advance, 1, ADDITIONAL_STREAMS_MAX),
    }
  } catch (error) {
    throw new CommandError('cli.usage', error instanceof Error ? error.message : String(error))
  }
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  const bounds = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`
  throw new Error(`--${option} is a whole number, ${bounds}`)
}
