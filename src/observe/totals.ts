/**
 * Series added up from many sources. There is an end to how many: plugins put labels into names, so a
 * client's input may end up in one. What comes after the end is added to one overflow series of its kind.
 */
import { added, type Sample, seriesKey } from './metric.ts'

/** Name of the series that stand for all that are too many. */
export const OVERFLOW_NAME = 'postern_metric_overflow'

export class Totals {
  readonly #maxSeries: number
  readonly #series = new Map<string, Sample>()
  #dropped = 0

  constructor(maxSeries: number = Number.POSITIVE_INFINITY) {
    this.#maxSeries = maxSeries
  }

  /** How many additions went to an overflow series. */
  get dropped(): number {
    return this.#dropped
  }

  /** Adds values up. @param merge - for gauges of several isolates */
  add(samples: Iterable<Sample>, merge: (name: string) => 'sum' | 'max' = sums): void {
    for (const sample of samples) {
      const key = seriesKey(sample)
      const known = this.#series.get(key)
      if (known !== undefined) this.#series.set(key, merged(known, sample, merge))
      else if (this.#series.size < this.#maxSeries) this.#series.set(key, sample)
      else this.#overflow(sample)
    }
  }

  samples(): Sample[] {
    return [...this.#series.values()]
  }

  /** By `seriesKey`. */
  get(key: string): Sample | undefined {
    return this.#series.get(key)
  }

  #overflow(sample: Sample): void {
    this.#dropped += 1
    const instead = { ...sample, name: OVERFLOW_NAME, labels: '' }
    const key = seriesKey(instead)
    const known = this.#series.get(key)
    this.#series.set(key, known === undefined ? instead : added(known, instead))
  }
}

const sums = (): 'sum' => 'sum'

function merged(a: Sample, b: Sample, merge: (name: string) => 'sum' | 'max'): Sample {
  if (a.kind !== 'gauge' || b.kind !== 'gauge' || merge(a.name) === 'sum') return added(a, b)
  return a.value >= b.value ? a : b
}
