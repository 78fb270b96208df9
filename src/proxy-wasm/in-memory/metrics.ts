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
  value: bigint
}

interface Distribution {
  readonly type: typeof MetricType.Histogram
  readonly name: string
  readonly histogram: Histogram
}

type Series = Scalar | Distribution

/** Plugins put labels into names, so a client's input may end up in one: there must be an end to it. */
const MAX_SERIES = 10_000

/** What definitions beyond the cap share, one per type: their SDKs would panic on a refusal. */
const OVERFLOW_NAME = 'postern_metric_overflow'

export class InMemoryMetrics implements MetricsPort {
  readonly #maxSeries: number
  readonly #series = new Map<number, Series>()
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
    const series = this.#series.get(id)
    if (series === undefined) return unknown(id)
    if (series.type === MetricType.Histogram) return Status.BadArgument
    if (series.type === MetricType.Counter && delta <= 0n) return Status.BadArgument
    series.value = BigInt.asUintN(64, series.value + delta)
    return Status.Ok
  }

  record(id: number, value: bigint): Status {
    const series = this.#series.get(id)
    if (series === undefined) return Status.NotFound
    if (series.type === MetricType.Histogram) series.histogram.observe(Number(value))
    else if (series.type === MetricType.Gauge) series.value = BigInt.asUintN(64, value)
    else series.value = BigInt.asUintN(64, series.value + value)
    return Status.Ok
  }

  get(id: number): { readonly value: bigint } | { readonly status: Status } {
    const series = this.#series.get(id)
    if (series === undefined) return { status: unknown(id) }
    if (series.type === MetricType.Histogram) return { status: Status.BadArgument }
    return { value: series.value }
  }

  /** @returns every series in the order of definition */
  snapshot(): MetricSnapshot[] {
    return [...this.#series.values()].map(snapshotOf)
  }

  #add(type: MetricType, name: string): number {
    this.#taken[type] += 1
    const id = (this.#taken[type] << 2) | type
    this.#ids.set(`${type} ${name}`, id)
    this.#series.set(
      id,
      type === MetricType.Histogram
        ? { type, name, histogram: new Histogram() }
        : { type, name, value: 0n },
    )
    return id
  }
}

/** An id says its type itself: what has no value to read or add to is that, known or not. */
function unknown(id: number): Status {
  return (id & 3) >= MetricType.Histogram ? Status.BadArgument : Status.NotFound
}

function snapshotOf(series: Series): MetricSnapshot {
  const { name } = series
  if (series.type === MetricType.Histogram) {
    return { type: 'histogram', name, ...series.histogram.snapshot() }
  }
  if (series.type === MetricType.Counter) {
    return { type: 'counter', name, value: Number(series.value) }
  }
  // one that was taken below zero is stored as a u64, and read here as what was meant
  return { type: 'gauge', name, value: Number(BigInt.asIntN(64, series.value)) }
}
