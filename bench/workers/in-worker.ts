/** What is measured inside workerd, without HTTP: one host call, and a vm's start. */
import {
  Chain,
  type EffectSink,
  HeaderMap,
  inMemoryPorts,
  loadModule,
  Plugin,
  pluginSpec,
  standaloneIo,
  VmPool,
  vmKey,
} from '../../src/proxy-wasm/index.ts'
import { Strand } from '../../src/proxy-wasm/vm/strand.ts'
import { Vm } from '../../src/proxy-wasm/vm/vm.ts'
import { HOST_CALLS } from '../host-call-module.ts'
import { median } from '../statistics.ts'
import hostCall from './host-call.wasm'
import modules from './modules.js'

const ROUNDS = 15
const MIN_STARTS = 5
const STARTS_MS = 300

export interface InWorkerFigures {
  /** Nanoseconds of one call: through the linked import, and of a bare function in its place. */
  readonly hostCall: { readonly linked: number; readonly bare: number; readonly ratio: number }
  /** Microseconds per module: instance, imports linked, `_initialize` or `_start`. */
  readonly instantiate: Readonly<Record<string, number>>
}

const nowhere: EffectSink = {
  requestHeaders: () => undefined,
  requestData: () => undefined,
  responseHeaders: () => undefined,
  responseData: () => undefined,
  reset: () => undefined,
  clearRouteCache: () => undefined,
}

function nanosecondsPerCall(run: () => void): number {
  const start = performance.now()
  run()
  return ((performance.now() - start) * 1e6) / HOST_CALLS
}

async function measureHostCall(): Promise<InWorkerFigures['hostCall']> {
  const pool = new VmPool(inMemoryPorts())
  const spec = pluginSpec({ name: 'bench', module: loadModule(hostCall, 'bench') })
  const plugin = new Plugin(spec, await vmKey(spec), pool)
  const bareImports = { env: { proxy_get_header_map_value: bareCall } }
  const { exports } = new WebAssembly.Instance(hostCall, bareImports)
  const bareLoop = exports['proxy_on_request_headers'] as (...args: number[]) => number
  const linked: number[] = []
  const bare: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const chain = new Chain({
      plugins: [plugin],
      io: standaloneIo(),
      strand: pool.strand,
      sink: nowhere,
      info: { startTime: 0n },
    })
    const headers = new HeaderMap(requestLines())
    linked.push(nanosecondsPerCall(() => chain.receiveRequestHeaders(headers, true)))
    chain.end()
    bare.push(nanosecondsPerCall(() => bareLoop(1, 0, 1)))
  }
  const ratios = linked.map((value, round) => value / (bare[round] ?? value))
  return { linked: median(linked), bare: median(bare), ratio: median(ratios) }
}

/** As many arguments, a result, and nothing done. */
function bareCall(_a: number, _b: number, _c: number, _d: number, _e: number): number {
  return 0
}

function requestLines(): string[] {
  const pseudo = [':authority', 'shop.example', ':path', '/catalogue/items?page=2&sort=price']
  return [...pseudo, ':method', 'GET', ':scheme', 'https', 'user-agent', 'bench', 'accept', '*/*']
}

/** Without configuration, which some plugins refuse: up to the point where contexts are made. */
function measureStarts(): Record<string, number> {
  const ports = inMemoryPorts()
  const micros: Record<string, number> = {}
  for (const { name, module } of modules) {
    const spec = pluginSpec({ name, module: loadModule(module, name) })
    const times: number[] = []
    const until = performance.now() + STARTS_MS
    while (times.length < MIN_STARTS || performance.now() < until) {
      // the clock is too coarse for one: several at a time
      const start = performance.now()
      for (let i = 0; i < MIN_STARTS; i++) new Vm(name, spec, ports, new Strand()).close()
      times.push(((performance.now() - start) * 1000) / MIN_STARTS)
    }
    micros[name] = times.reduce((sum, time) => sum + time, 0) / times.length
  }
  return micros
}

const worker = {
  async fetch(): Promise<Response> {
    const figures: InWorkerFigures = {
      hostCall: await measureHostCall(),
      instantiate: measureStarts(),
    }
    return Response.json(figures)
  },
}

export default worker
