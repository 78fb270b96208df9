/**
 * A histogram with fixed buckets, so that histograms of many isolates can be added up. The bounds are
 * Envoy's defaults, in whatever unit the plugin records (most record milliseconds).
 */
export const HISTOGRAM_BOUNDS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000,
  1_800_000, 3_600_000,
] as const

export interface HistogramSnapshot {
  readonly count: number
  readonly sum: number
  /** Observations at or below each bound, cumulative as Prometheus wants them; `count` is the last. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[]
}

export class Histogram {
  readonly #counts = new Float64Array(HISTOGRAM_BOUNDS.length)
  #count = 0
  #sum = 0

  observe(value: number): void {
    this.#count += 1
    this.#sum += value
    for (let bucket = 0; bucket < HISTOGRAM_BOUNDS.length; bucket++) {
      if (value > (HISTOGRAM_BOUNDS[bucket] as number)) continue
      this.#counts[bucket] = (this.#counts[bucket] as number) + 1
      return
    }
  }

  snapshot(): HistogramSnapshot {
    let below = 0
    const buckets = HISTOGRAM_BOUNDS.map((le, index) => {
      below += this.#counts[index] ?? 0
      return { le, count: below }
    })
    return { count: this.#count, sum: this.#sum, buckets }
  }
}
