/** What one host call takes, inside workerd and without HTTP. */
import {
  Chain,
  type EffectSink,
  HeaderMap,
  inMemoryPorts,
  loadModule,
  MetricType,
  Plugin,
  pluginSpec,
  Status,
  standaloneIo,
  VmPool,
  vmKey,
} from '../../src/proxy-wasm/index.ts'
import { textToBytes } from '../../src/proxy-wasm/memory/byte-string.ts'
import { HOST_CALLS, MEASURED_CALLS, METRIC, SHARED_KEY } from '../host-call-module.ts'
import { median } from '../statistics.ts'
import modules from './modules.js'

const ROUNDS = 9
const VM_ID = 'bench'
/** As long as a typical path. */
const VALUE = '/catalogue/items?page=2&sort=price'

/**
 * Nanoseconds of one call, by row: through the linked import, of a bare function in its place, and of one
 * that does nothing but call the guest's malloc.
 */
export type HostCallFigures = Readonly<
  Record<
    string,
    {
      readonly linked: number
      readonly bare: number
      readonly allocating: number
      readonly ratio: number
    }
  >
>

type Guest = (...args: number[]) => number

/** One row: how it runs once in each way. */
interface Measured {
  readonly row: string
  runLinked(): void
  readonly bare: Guest
  readonly allocating: Guest
  readonly times: { linked: number; bare: number; allocating: number }[]
}

async function measured(
  { row, name, args }: (typeof MEASURED_CALLS)[number],
  pool: VmPool,
): Promise<Measured> {
  const module = modules.find((one) => one.name === row)?.module
  if (module === undefined) throw new Error(`there is no module for ${row}`)
  const spec = pluginSpec({ name: row, module: loadModule(module, row), vmId: VM_ID })
  const plugin = new Plugin(spec, await vmKey(spec), pool)
  const loopWith = (call: Guest): { loop: Guest; malloc: Guest } => {
    const { exports } = new WebAssembly.Instance(module, { env: { [name]: call } })
    return {
      loop: exports['proxy_on_request_headers'] as Guest,
      malloc: exports['malloc'] as Guest,
    }
  }
  let malloc: Guest
  const allocating = loopWith(allocatingCall(args.length, (size) => malloc(size)))
  malloc = allocating.malloc
  return {
    row,
    runLinked() {
      let passed = false
      const chain = new Chain({
        plugins: [plugin],
        io: standaloneIo(),
        strand: pool.strand,
        sink: { ...nowhere, requestHeaders: () => (passed = true) },
        info: { startTime: 0n },
      })
      chain.receiveRequestHeaders(new HeaderMap(requestLines()), true)
      chain.end()
      if (!passed) throw new Error(`${name} did not answer Ok`)
    },
    bare: loopWith(bareCall(args.length)).loop,
    allocating: allocating.loop,
    times: [],
  }
}

/** As many arguments, a result, and nothing done. */
function bareCall(count: number): Guest {
  if (count === 2) return (_a, _b) => 0
  return count === 4 ? (_a, _b, _c, _d) => 0 : (_a, _b, _c, _d, _e) => 0
}

function allocatingCall(count: number, malloc: (size: number) => number): Guest {
  const status = (): number => (malloc(VALUE.length) === 0 ? Status.InternalFailure : Status.Ok)
  if (count === 2) return (_a, _b) => status()
  return count === 4 ? (_a, _b, _c, _d) => status() : (_a, _b, _c, _d, _e) => status()
}

function nanosecondsPerCall(run: () => void): number {
  const start = performance.now()
  run()
  return ((performance.now() - start) * 1e6) / HOST_CALLS
}

const nowhere: EffectSink = {
  requestHeaders: () => undefined,
  requestData: () => undefined,
  responseHeaders: () => undefined,
  responseData: () => undefined,
  reset: () => undefined,
  clearRouteCache: () => undefined,
}

function requestLines(): string[] {
  const pseudo = [
    ':authority',
    'shop.example',
    ':path',
    VALUE,
    ':method',
    'GET',
    ':scheme',
    'https',
  ]
  return [...pseudo, 'user-agent', 'bench', 'accept', '*/*']
}

/** All rows in each round: a host call has to be fast among others, as in a plugin. */
async function measure(): Promise<HostCallFigures> {
  const ports = inMemoryPorts()
  if (ports.metrics.define(MetricType.Counter, 'bench_calls') !== METRIC) {
    throw new Error('the first counter has another id')
  }
  ports.sharedData.set(VM_ID, SHARED_KEY, textToBytes(VALUE), 0)
  const pool = new VmPool(ports)
  const rows = await Promise.all(MEASURED_CALLS.map((call) => measured(call, pool)))
  for (let round = 0; round < ROUNDS; round++) {
    for (const row of rows) {
      row.times.push({
        linked: nanosecondsPerCall(() => row.runLinked()),
        bare: nanosecondsPerCall(() => row.bare(1, 0, 1)),
        allocating: nanosecondsPerCall(() => row.allocating(1, 0, 1)),
      })
    }
  }
  const figures = rows.map(({ row, times }) => [
    row,
    {
      linked: median(times.map(({ linked }) => linked)),
      bare: median(times.map(({ bare }) => bare)),
      allocating: median(times.map(({ allocating }) => allocating)),
      ratio: median(times.map(({ linked, bare }) => linked / bare)),
    },
  ])
  return Object.fromEntries(figures) as HostCallFigures
}

const worker = {
  async fetch(): Promise<Response> {
    return Response.json(await measure())
  },
}

export default worker
