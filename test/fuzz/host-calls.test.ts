/**
 * Random sequences of random host calls with random arguments, in every callback, from every ABI version.
 * Whatever a guest does: the host never throws, statuses stay within the table, and a guest beside it in
 * the same pool notices nothing. `FUZZ_SECONDS` runs it for longer, with another seed each time.
 */
import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  bigInt,
  constant,
  constantFrom,
  dictionary,
  integer,
  nat,
  oneof,
  record,
  string,
  tuple,
} from 'fast-check'
import { describe, expect, it } from 'vitest'
import { celFunctions } from '../../src/foreign/cel.ts'
import { envoyFunctions } from '../../src/foreign/index.ts'
import { mayAnswer } from '../../src/proxy-wasm/abi/host-answers.ts'
import { HOST_FUNCTIONS } from '../../src/proxy-wasm/abi/host-functions.ts'
import {
  ABI_VERSIONS,
  type GrpcEvent,
  type Plugin,
  type Ports,
  runIn,
  standaloneIo,
} from '../../src/proxy-wasm/index.ts'
import { PHASES } from '../support/abi.ts'
import { type Machine, machine, probe, type ProbeLine, script } from '../support/machine.ts'
import { post, reply } from '../support/play.ts'

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 5)
const seed = process.env['FUZZ_SEED'] ?? process.env['FUZZ_SECONDS']
/** The same runs in every `npm test`. */
const SEED = seed === undefined ? 20_261_121 : Number(process.env['FUZZ_SEED'] ?? Date.now())

const ERRNO_MAX = 76
const WASI = [
  'args_get',
  'args_sizes_get',
  'clock_res_get',
  'clock_time_get',
  'environ_get',
  'environ_sizes_get',
  'fd_close',
  'fd_fdstat_get',
  'fd_prestat_get',
  'fd_read',
  'fd_seek',
  'fd_write',
  'path_open',
  'poll_oneoff',
  'random_get',
  'sched_yield',
]
const FUNCTIONS = HOST_FUNCTIONS.filter(({ group }) => group !== 'vendor' && group !== 'toolchain')
const CALLBACKS = [
  ...PHASES,
  'create',
  'queue_ready',
  'http_call_response',
  'grpc_receive_initial_metadata',
  'grpc_receive',
  'grpc_receive_trailing_metadata',
  'grpc_close',
]

/** What plugins mean by it, so that not all calls fail at the first check. */
const WORDS = [
  ':path',
  'x-a',
  'request\0path',
  'up',
  'compress',
  'declare_property',
  'expr_create',
  '',
]
const PAIRS = { hex: '01000000010000000100000078007900' }
const REQUEST = {
  hex:
    '0300000007000000010000000500000001000000' +
    '0a000000010000003a6d6574686f6400470' +
    '03a70617468002f003a617574686f726974790061' +
    '00',
}

const word = oneof(constantFrom(...WORDS), string({ unit: 'binary-ascii', maxLength: 20 }))
const bytes: Arbitrary<unknown> = oneof(
  { weight: 4, arbitrary: word },
  { weight: 2, arbitrary: constantFrom<unknown>(PAIRS, REQUEST) },
  { weight: 1, arbitrary: record({ repeat: constant('ab'), times: nat(40_000) }) },
)
const number = oneof(
  { weight: 6, arbitrary: integer({ min: 0, max: 12 }) },
  { weight: 1, arbitrary: constantFrom(-1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 65_536) },
  { weight: 1, arbitrary: integer() },
)
const argument = oneof(
  { weight: 3, arbitrary: number },
  { weight: 2, arbitrary: record({ out: nat(3) }) },
)

/** Mostly of the shape that the table says: slices where it has slices, places for results. */
function argumentsOf(name: string): Arbitrary<unknown[]> {
  const params = FUNCTIONS.find((row) => row.name === name)?.params ?? []
  if (params.length === 0) return array(argument, { maxLength: 9 })
  const shaped: Arbitrary<unknown[]>[] = []
  for (let i = 0; i < params.length; i++) {
    const { name: param = '', type } = params[i] ?? {}
    const next = params[i + 1]?.name
    if (param.endsWith('_data') && !param.startsWith('return_') && next?.endsWith('_size')) {
      const slice = bytes.map((data) => [{ ptr: data }, { len: data }])
      shaped.push(
        oneof({ weight: 9, arbitrary: slice }, { weight: 1, arbitrary: tuple(number, number) }),
      )
      i++
    } else if (param.startsWith('return_')) {
      const place = record({ out: nat(3) })
      shaped.push(
        oneof({ weight: 9, arbitrary: place }, { weight: 1, arbitrary: number }).map((arg) => [
          arg,
        ]),
      )
    } else if (type === 'i64') {
      shaped.push(bigInt({ min: -5n, max: 5n }).map((value) => [Number(value)]))
    } else shaped.push(number.map((value) => [value]))
  }
  return tuple(...shaped).map((parts) => parts.flat())
}

const step = oneof(
  { weight: 8, arbitrary: constantFrom(...FUNCTIONS.map(({ name }) => name)) },
  { weight: 1, arbitrary: constantFrom(...WASI) },
).chain((name) =>
  argumentsOf(name).map((args) => ({ call: 'raw', function: name, label: name, args })),
)
const setup = constantFrom<object>(
  { call: 'queue_register', name: 'q', quiet: true },
  { call: 'metric_define', type: 'counter', name: 'c', quiet: true },
  { call: 'set_tick_period', ms: 1, quiet: true },
  { call: 'fail_allocations', count: 1, quiet: true },
  { call: 'grow_memory', quiet: true },
)
const steps = array(oneof({ weight: 6, arbitrary: step }, { weight: 1, arbitrary: setup }), {
  maxLength: 10,
})
const scripts = dictionary(constantFrom(...CALLBACKS), steps, { minKeys: 1, maxKeys: 8 })

async function* grpcEvents(): AsyncGenerator<GrpcEvent, void, void> {
  yield { kind: 'initial-metadata', metadata: ['a', 'b'] }
  yield { kind: 'message', message: Uint8Array.of(1, 2, 3) }
  yield { kind: 'trailing-metadata', metadata: [] }
  yield { kind: 'close', status: 0, message: '' }
}

function ports(): Partial<Ports> {
  return {
    foreignFunctions: envoyFunctions().registerAll(celFunctions()),
    httpCalls: { start: () => ({ outcome: Promise.resolve(reply(200, 'ok')), cancel() {} }) },
    grpcCalls: {
      declares: (_plugin, upstream) => upstream === 'up',
      start: () => ({ events: grpcEvents(), cancel() {} }),
    },
  }
}

/** A guest with something of its own in memory, which it shows with every request. */
const WITNESS = script({
  configure: [{ call: 'get_body', buffer: 'vm_configuration', save: 'own', quiet: true }],
  request_headers: [
    { call: 'log', message: { saved: 'own' }, quiet: true },
    { call: 'memory' },
    { call: 'get_header', name: ':path' },
    { call: 'set_property', path: ['mine'], value: { saved: 'own' } },
    { call: 'get_property', path: ['mine'] },
  ],
})

async function witness(host: Machine): Promise<Plugin> {
  return host.plugin({
    module: probe(),
    name: 'witness',
    vmId: 'witness',
    configuration: WITNESS,
    vmConfiguration: 'its own bytes '.repeat(100),
  })
}

/** What the witness saw of one request, without the numbers of contexts. */
async function testify(host: Machine, plugin: Plugin): Promise<unknown[]> {
  const from = host.logs.length
  const response = await host.send([plugin])
  const body = await response.text()
  const logs = host.logs.slice(from).filter((entry) => entry.plugin === 'witness')
  return [body, ...logs.map(({ message }) => message.replaceAll(/"(context|parent)":\d+/g, ''))]
}

const expected = await (async () => {
  const host = machine({ ports: ports() })
  const plugin = await witness(host)
  await testify(host, plugin)
  return testify(host, plugin)
})()

describe('random host calls', () => {
  it(
    'never make the host throw, answer outside of the table, or touch another vm',
    async () => {
      await assert(
        asyncProperty(constantFrom(...ABI_VERSIONS), scripts, async (version, calls) => {
          const host = machine({ ports: ports() })
          const beside = await witness(host)
          await testify(host, beside)
          const module = probe(version)
          const configuration = script(calls)
          const plugin = await host.plugin({
            module,
            configuration,
            vmConfiguration: configuration,
          })
          for (let i = 0; i < 2; i++) {
            const response = await host.send([plugin], { request: post('the body') })
            // a stream that the guest has closed breaks off
            await response.arrayBuffer().catch(() => undefined)
          }
          runIn(standaloneIo(), () => plugin.retire())
          // callouts answer in turns of their own
          await new Promise((resolve) => setImmediate(resolve))
          // not `lines()`: a guest may log any text, what begins like a line of its own included
          const answers = host.logs
            .filter(({ message }) => message.startsWith('{"call":"raw"'))
            .map(({ message }) => JSON.parse(message) as ProbeLine)
          expect(answers.filter((line) => !withinTable(line))).toEqual([])
          const thrown = host.logs.filter(({ message }) => /^\w+ failed: /.test(message))
          expect(thrown.map(({ message }) => message)).toEqual([])
          expect(await testify(host, beside)).toEqual(expected)
        }),
        {
          seed: SEED,
          numRuns: 1_000_000,
          interruptAfterTimeLimit: seconds * 1000,
          markInterruptAsFailure: false,
        },
      )
    },
    (seconds + 30) * 1000,
  )
})

function withinTable(line: ProbeLine): boolean {
  const { label: name, status } = line as {
    readonly label?: string
    readonly status?: number
  }
  // the probe of another version does not import it
  if (name === undefined || status === undefined) return true
  return WASI.includes(name) ? status >= 0 && status <= ERRNO_MAX : mayAnswer(name, status)
}
