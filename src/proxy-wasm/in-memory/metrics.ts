/**
 * Guest metrics in this isolate's memory. Ids carry the type in their low two bits, as Envoy's do, so
 * that a guest that looks at them sees what it would see there.
 */
import { MetricType, Status } from '../abi/enums.ts'
import type { MetricsPort } from '../ports.ts'
import { Histogram, type HistogramSnapshot } from './histogram.ts'

/** A metric's state as plain JSON; counters and gauges beyond 2^53 lose their low bits. */
export type MetricSnapshot =
  | { readonly type: 'counter' | 'gauge'; readonly name: string; readonly value: number }
  | ({ readonly type: 'histogram'; readonly name: string } & HistogramSnapshot)

interface Scalar {
  readonly type: typeof MetricType.Counter | typeof MetricType.Gauge
  readonly name: string
}

interface Distribution {
  readonly type: typeof MetricType.Histogram
  readonly name: string
  readonly histogram: Histogram
}

type Series = Scalar | Distribution

/** Plugins put labels into names, so a client's input may end up in one: there must be an end to it. */
const MAX_SERIES = 10_000

/** Ids are multiples of four and a bit: so many metrics before the first growth. */
const FIRST_SLOTS = 64

/** What definitions beyond the cap share, one per type: their SDKs would panic on a refusal. */
const OVERFLOW_NAME = 'postern_metric_overflow'

export class InMemoryMetrics implements MetricsPort {
  readonly #maxSeries: number
  readonly #series = new Map<number, Series>()
  /** Counters and gauges by id: a slot is added to without making a BigInt. */
  #values = new BigUint64Array(FIRST_SLOTS)
  readonly #ids = new Map<string, number>()
  /** Per type: how many ids are taken. */
  readonly #taken: [number, number, number] = [0, 0, 0]
  #dropped = 0

  constructor(maxSeries: number = MAX_SERIES) {
    this.#maxSeries = maxSeries
  }

  /** How many definitions were beyond the cap. */
  get dropped(): number {
    return this.#dropped
  }

  define(type: MetricType, name: string): number {
    const known = this.#ids.get(`${type} ${name}`)
    if (known !== undefined) return known
    if (this.#ids.size < this.#maxSeries) return this.#add(type, name)
    this.#dropped += 1
    return this.#ids.get(`${type} ${OVERFLOW_NAME}`) ?? this.#add(type, OVERFLOW_NAME)
  }

  increment(id: number, delta: bigint): Status {
    const type = id & 3
    if (!this.#hasValue(id)) return unknown(id)
    if (type === MetricType.Counter && delta <= 0n) return Status.BadArgument
    const values = this.#values
    values[id] = BigInt.asUintN(64, (values[id] as bigint) + delta)
    return Status.Ok
  }

  record(id: number, value: bigint): Status {
    const series = this.#series.get(id)
    if (series === undefined) return Status.NotFound
    const values = this.#values
    if (series.type === MetricType.Histogram) series.histogram.observe(Number(value))
    else if (series.type === MetricType.Gauge) values[id] = BigInt.asUintN(64, value)
    else values[id] = BigInt.asUintN(64, (values[id] as bigint) + value)
    return Status.Ok
  }

  get(id: number): { readonly value: bigint } | { readonly status: Status } {
    return this.#hasValue(id) ? { value: this.#values[id] as bigint } : { status: unknown(id) }
  }

  /** @returns every series in the order of definition */
  snapshot(): MetricSnapshot[] {
    return Array.from(this.#series, ([id, series]) => snapshotOf(series, this.#values[id] ?? 0n))
  }

  #add(type: MetricType, name: string): number {
    this.#taken[type] += 1
    const id = (this.#taken[type] << 2) | type
    this.#ids.set(`${type} ${name}`, id)
    this.#series.set(
      id,
      type === MetricType.Histogram ? { type, name, histogram: new Histogram() } : { type, name },
    )
    if (id >= this.#values.length) {
      const larger = new BigUint64Array(id * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    return id
  }

  /** Whether it is a counter or a gauge that was defined: ids of a type are given in order. */
  #hasValue(id: number): boolean {
    const type = id & 3
    if (type >= MetricType.Histogram) return false
    const number = id >>> 2
    return number > 0 && number <= this.#taken[type as MetricType]
  }
}

/** An id says its type itself: what has no value to read or add to is that, known or not. */
function unknown(id: number): Status {
  return (id & 3) >= MetricType.Histogram ? Status.BadArgument : Status.NotFound
}

function snapshotOf(series: Series, value: bigint): MetricSnapshot {
  const { name } = series
  if (series.type === MetricType.Histogram) {
    return { type: 'histogram', name, ...series.histogram.snapshot() }
  }
  if (series.type === MetricType.Counter) {
    return { type: 'counter', name, value: Number(value) }
  }
  // one that was taken below zero is stored as a u64, and read here as what was meant
  return { type: 'gauge', name, value: Number(BigInt.asIntN(64, value)) }
}
