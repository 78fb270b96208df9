/**
 * Measures a plugin callback by callback. Streams go through the gateway's chain in batches, phase by
 * phase, so that one reading of the clock covers many calls; the same batches through a chain without
 * plugins are what is left when the plugin costs nothing.
 */
import { Chain, runIn, standaloneIo } from '../proxy-wasm/index.ts'
import { BackgroundStreams } from './background-streams.ts'
import {
  type BenchExchange,
  type BenchStep,
  type Phase,
  PHASES,
  SIMPLE_EXCHANGE,
  stepsOf,
} from './bench-exchange.ts'
import type { PluginUnderTest, TestStream } from './plugin-under-test.ts'
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

/** Streams beside the measured ones, outside of what is measured. */
export interface Background {
  readonly streams: number
  /** How many of them go one phase on for each stream that is measured. */
  readonly advance: number
}

/** What the format's own tester does where `additional_stream_advance_rate` is not set. */
export const DEFAULT_ADVANCE = 3

export interface BenchOptions {
  readonly plugin: PluginUnderTest
  readonly meters: Meters
  /** How many batches of 100 streams. */
  readonly batches: number
  readonly exchange?: BenchExchange
  readonly background?: Background | undefined
}

/** Measures a started plugin. */
export function benchPlugin(options: BenchOptions): PluginCost {
  const { plugin, meters, batches, exchange = SIMPLE_EXCHANGE, background } = options
  const steps = stepsOf(exchange)
  const started = plugin.memoryBytes
  const open = (): TestStream => plugin.stream(exchange.properties)
  const bare = (): TestStream => {
    const sink = new RecordingSink()
    const chain = new Chain({
      plugins: [],
      io: standaloneIo(),
      strand: plugin.strand,
      sink,
      info: { startTime: 0n },
    })
    return { chain, sink }
  }
  const beside = runIn(
    plugin.io,
    () => new BackgroundStreams(background?.streams ?? 0, open, steps),
  )
  const each = ((background?.advance ?? 0) * BATCH) / steps.length
  let owed = 0
  const advance = (): void => {
    owed += each
    beside.advance(Math.floor(owed))
    owed %= 1
  }
  const withPlugin = (meter: () => number): number[] =>
    batch(plugin, open, steps, meter, beside.size > 0 ? advance : undefined)
  const without = (meter: () => number): number[] => batch(plugin, bare, steps, meter)
  const now = (): number => meters.now()
  for (let i = 0; i < WARM_UP; i++) {
    withPlugin(now)
    without(now)
  }
  const own: number[][] = []
  const chain: number[][] = []
  for (let i = 0; i < batches; i++) {
    // interleaved: what slows the machine down slows both
    own.push(withPlugin(now))
    chain.push(without(now))
  }
  const heap = heapOf(() => withPlugin(() => meters.heap()), meters)
  runIn(plugin.io, () => beside.close())
  const phases = steps.map(({ phase }, at): PhaseCost => {
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
function heapOf(read: () => number[], { collect }: Meters): number[] {
  const readings: number[][] = []
  for (let i = 0; i < HEAP_BATCHES; i++) {
    collect()
    readings.push(read())
  }
  return (readings[0] ?? []).map((_, at) => {
    const positive = readings.map((reading) => reading[at] ?? 0).filter((bytes) => bytes > 0)
    return positive.length === 0 ? 0 : median(positive)
  })
}

/**
 * @param between - runs before each phase and is not measured
 * @returns what the meter says of each phase, per stream
 */
function batch(
  plugin: PluginUnderTest,
  open: () => TestStream,
  steps: readonly BenchStep[],
  meter: () => number,
  between?: () => void,
): number[] {
  const streams: TestStream[] = []
  const readings = runIn(plugin.io, () =>
    steps.map(({ run }, step) => {
      between?.()
      const before = meter()
      for (let at = 0; at < BATCH; at++) {
        if (step === 0) streams.push(open())
        run(streams[at] as TestStream)
      }
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
