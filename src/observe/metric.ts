/**
 * The cells that code counts in, and what is read from them. A cell is made once (for each route,
 * upstream, plugin) and kept; counting is one addition to a field, without a lookup or an allocation.
 */
import { HISTOGRAM_BOUNDS, Histogram } from '../proxy-wasm/in-memory/histogram.ts'

export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** A metric as Prometheus knows it: a name, with a series for each set of labels. */
export interface Family {
  readonly name: string
  readonly kind: MetricKind
  readonly help: string
  /** How gauges of several isolates become one; `sum` when absent. */
  readonly merge?: 'sum' | 'max'
}

/** Only grows. */
export class Counter {
  value = 0

  add(amount = 1): void {
    this.value += amount
  }
}

export class Gauge {
  value = 0
}

export { Histogram }

/** Upper bounds of every histogram's buckets; the last bucket, without a bound, is its `count`. */
export const BOUNDS: readonly number[] = HISTOGRAM_BOUNDS

interface SeriesName {
  readonly name: string
  /** As it stands between braces in the exposition format: sorted, escaped; empty without labels. */
  readonly labels: string
}

/** One series and its value, as plain JSON. Counters and histograms of several sources can be added up. */
export type Sample = SeriesName &
  (
    | { readonly kind: 'counter' | 'gauge'; readonly value: number }
    | {
        readonly kind: 'histogram'
        readonly count: number
        readonly sum: number
        /** For each of `BOUNDS`: observations at or below it. */
        readonly buckets: readonly number[]
      }
  )

/** Tells two series apart. */
export function seriesKey({ kind, name, labels }: Sample): string {
  return `${kind} ${name}{${labels}}`
}

/** `a` and `b` of one series in one; `sign` -1 takes `b` away. */
export function added(a: Sample, b: Sample, sign: 1 | -1 = 1): Sample {
  if (a.kind === 'histogram' && b.kind === 'histogram') {
    return {
      ...a,
      count: a.count + sign * b.count,
      sum: a.sum + sign * b.sum,
      buckets: a.buckets.map((count, index) => count + sign * (b.buckets[index] ?? 0)),
    }
  }
  if (a.kind === 'histogram' || b.kind === 'histogram') return a
  return { ...a, value: a.value + sign * b.value }
}
