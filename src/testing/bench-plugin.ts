/**
 * Measures a plugin callback by callback. Streams go through the gateway's chain in batches, phase by
 * phase, so that one reading of the clock covers many calls; the same batches through a chain without
 * plugins are what is left when the plugin costs nothing.
 */
import { Chain, HeaderMap, runIn, standaloneIo } from '../proxy-wasm/index.ts'
import { textToBytes } from '../proxy-wasm/memory/byte-string.ts'
import type { PluginUnderTest } from './plugin-under-test.ts'
import { RecordingSink } from './recording-sink.ts'

/** What Web APIs do not have: the host's clock and heap. */
export interface Meters {
  /** Nanoseconds from any origin. */
  now(): number
  /** Bytes of host heap in use. */
  heap(): number
  /** Collects garbage, where that can be asked for. */
  collect(): void
}

/** The phases of a stream, in order, and the callbacks in each. */
export const PHASES = {
  open: 'context_create',
  'request headers': 'request_headers',
  'request body': 'request_body',
  'response headers': 'response_headers',
  'response body': 'response_body',
  end: 'log, done, delete',
} as const

export type Phase = keyof typeof PHASES

export interface BenchExchange {
  readonly requestHeaders: readonly string[]
  readonly requestBody: string
  readonly responseHeaders: readonly string[]
  readonly responseBody: string
}

/** A small request with a body and its answer. */
export const SIMPLE_EXCHANGE: BenchExchange = {
  requestHeaders: Object.entries({
    ':method': 'POST',
    ':path': '/items?page=2',
    ':authority': 'shop.example',
    ':scheme': 'https',
    'user-agent': 'bench/1',
    accept: '*/*',
    'content-type': 'application/json',
    'content-length': '17',
  }).flat(),
  requestBody: '{"name":"kettle"}',
  responseHeaders: Object.entries({
    ':status': '200',
    'content-type': 'application/json',
    'content-length': '11',
    server: 'origin',
    'cache-control': 'no-store',
  }).flat(),
  responseBody: '{"ok":true}',
}

export interface PhaseCost {
  readonly phase: Phase
  readonly callbacks: string
  /** Median over the batches, the chain's own cost taken off. */
  readonly nanoseconds: number
  /** Of the chain without plugins. */
  readonly chainNanoseconds: number
  /** Host heap that one stream takes in this phase, the chain's own included. */
  readonly heapBytes: number
}

export interface PluginCost {
  readonly streams: number
  readonly phases: readonly PhaseCost[]
  /** Of all phases. */
  readonly nanoseconds: number
  readonly heapBytes: number
  /** Guest memory when the plugin had started, and at the end. */
  readonly guestMemory: { readonly started: number; readonly ended: number }
}

const BATCH = 100
const WARM_UP = 20
/** Small enough that no collection falls into it, mostly. */
const HEAP_BATCHES = 5

export interface BenchOptions {
  readonly plugin: PluginUnderTest
  readonly meters: Meters
  /** How many batches of 100 streams. */
  readonly batches: number
  readonly exchange?: BenchExchange
}

/** Measures a started plugin. */
export function benchPlugin(options: BenchOptions): PluginCost {
  const { plugin, meters, batches, exchange = SIMPLE_EXCHANGE } = options
  const started = plugin.memoryBytes
  const withPlugin = (): Chain => plugin.stream().chain
  const without = (): Chain =>
    new Chain({
      plugins: [],
      io: standaloneIo(),
      strand: plugin.strand,
      sink: new RecordingSink(),
      info: { startTime: 0n },
    })
  const read = (meter: () => number) => (make: () => Chain) => batch(make, exchange, meter, plugin)
  const time = read(() => meters.now())
  for (let i = 0; i < WARM_UP; i++) {
    time(withPlugin)
    time(without)
  }
  const own: number[][] = []
  const chain: number[][] = []
  for (let i = 0; i < batches; i++) {
    // interleaved: what slows the machine down slows both
    own.push(time(withPlugin))
    chain.push(time(without))
  }
  const heap = heapOf(
    read(() => meters.heap()),
    withPlugin,
    meters,
  )
  const phases = (Object.keys(PHASES) as Phase[]).map((phase, at): PhaseCost => {
    const base = median(chain.map((times) => times[at] ?? 0))
    const whole = median(own.map((times) => times[at] ?? 0))
    return {
      phase,
      callbacks: PHASES[phase],
      nanoseconds: Math.max(whole - base, 0),
      chainNanoseconds: base,
      heapBytes: heap[at] ?? 0,
    }
  })
  const sum = (pick: (cost: PhaseCost) => number): number =>
    phases.reduce((total, cost) => total + pick(cost), 0)
  return {
    streams: batches * BATCH,
    phases,
    nanoseconds: sum(({ nanoseconds }) => nanoseconds),
    heapBytes: sum(({ heapBytes }) => heapBytes),
    guestMemory: { started, ended: plugin.memoryBytes },
  }
}

/** The least of several readings: what is more was somebody else's, or is less for a collection. */
function heapOf(
  read: (make: () => Chain) => number[],
  make: () => Chain,
  { collect }: Meters,
): number[] {
  const readings: number[][] = []
  for (let i = 0; i < HEAP_BATCHES; i++) {
    collect()
    readings.push(read(make))
  }
  return Object.keys(PHASES).map((_, at) => {
    const positive = readings.map((reading) => reading[at] ?? 0).filter((bytes) => bytes > 0)
    return positive.length === 0 ? 0 : median(positive)
  })
}

/** @returns what the meter says of each phase, per stream */
function batch(
  make: () => Chain,
  exchange: BenchExchange,
  meter: () => number,
  plugin: PluginUnderTest,
): number[] {
  const body = textToBytes(exchange.requestBody)
  const answer = textToBytes(exchange.responseBody)
  const chains: Chain[] = []
  const steps: ((at: number) => void)[] = [
    () => {
      const chain = make()
      chain.begin()
      chains.push(chain)
    },
    (at) => chains[at]?.receiveRequestHeaders(new HeaderMap([...exchange.requestHeaders]), false),
    (at) => chains[at]?.receiveRequestData(body.slice(), true),
    (at) => chains[at]?.receiveResponseHeaders(new HeaderMap([...exchange.responseHeaders]), false),
    (at) => chains[at]?.receiveResponseData(answer.slice(), true),
    (at) => chains[at]?.end(),
  ]
  const readings = runIn(plugin.io, () =>
    steps.map((step) => {
      const before = meter()
      for (let at = 0; at < BATCH; at++) step(at)
      return (meter() - before) / BATCH
    }),
  )
  plugin.forgetLogs()
  return readings
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
