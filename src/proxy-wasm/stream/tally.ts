/**
 * What one plugin did in one stream, for whoever compares two versions of it. A filter has one only where
 * somebody asks; host calls and metrics are in it only of plugins whose spec says `counted`.
 */
import type { MetricType } from '../abi/enums.ts'
import type { Plugin } from '../vm/plugin.ts'

/** A metric as the guest has defined it; the same object for all streams of a vm. */
export interface GuestMetric {
  readonly type: MetricType
  readonly name: string
}

/** What was added to a counter, or recorded in a histogram, by one stream. */
export interface Recorded {
  count: number
  sum: number
  squares: number
}

/** Hears of each stream that a plugin was part of, when the stream is over. */
export interface TallyObserver {
  ended(tally: Tally): void
}

/** A plugin of a chain, and who hears what it did. */
export interface Watch {
  readonly plugin: Plugin
  readonly observer: TallyObserver
}

export class Tally {
  /** It trapped, could not run or held the stream for too long, whatever became of the stream. */
  failed = false
  /** Host calls (`proxy_*`) that were made while the stream's context was in effect. */
  hostCalls = 0
  /** By metric; undefined before the first. */
  metrics: Map<GuestMetric, Recorded> | undefined
  /** All that the plugin's vm had defined when the stream was over; undefined where nobody counts. */
  defined: ReadonlyMap<number, GuestMetric> | undefined
  readonly #observer: TallyObserver | undefined

  constructor(observer?: TallyObserver) {
    this.#observer = observer
  }

  /** The stream is over. */
  end(defined: ReadonlyMap<number, GuestMetric> | undefined): void {
    this.defined = defined
    this.#observer?.ended(this)
  }

  record(metric: GuestMetric, value: number): void {
    const recorded = (this.metrics ??= new Map<GuestMetric, Recorded>()).get(metric)
    if (recorded === undefined) {
      this.metrics.set(metric, { count: 1, sum: value, squares: value * value })
      return
    }
    recorded.count += 1
    recorded.sum += value
    recorded.squares += value * value
  }
}
