/** What plugins of one side of a rollout did in their streams, counted when each is over. */
import { type Counter, FAMILIES, type GuestMetrics, type Registry } from '../observe/index.ts'
import type { Labels } from '../observe/labels.ts'
import {
  type GuestMetric,
  MetricType,
  type Tally,
  type TallyObserver,
} from '../proxy-wasm/index.ts'

const TYPES = {
  [MetricType.Counter]: 'counter',
  [MetricType.Gauge]: 'gauge',
  [MetricType.Histogram]: 'histogram',
} as const

interface Cells {
  readonly type: MetricType
  readonly values: Counter
  readonly sum: Counter
  readonly squares: Counter
}

export class StreamMeter implements TallyObserver {
  readonly #registry: Registry
  readonly #labels: Labels
  readonly #guests: Pick<GuestMetrics, 'nameOf'>
  readonly #asked: readonly string[]
  readonly #streams: Counter
  readonly #traps: Counter
  readonly #calls: Counter
  readonly #squares: Counter
  /** By type and name. */
  readonly #cells = new Map<string, Cells>()
  /** Of a plugin's metrics, those that are asked for. */
  readonly #known = new WeakMap<GuestMetric, Cells | false>()
  /** Of each vm, how many metrics it had defined when it was last looked at. */
  readonly #seen = new WeakMap<ReadonlyMap<number, GuestMetric>, number>()

  /**
   * @param labels - which rollout, which run of it, in which mode, which side
   * @param guests - knows under which names plugins' metrics are shown
   * @param asked - metrics of the plugin's own that are compared, by either name
   */
  constructor(
    registry: Registry,
    labels: Labels,
    guests: Pick<GuestMetrics, 'nameOf'>,
    asked: readonly string[],
  ) {
    this.#registry = registry
    this.#labels = labels
    this.#guests = guests
    this.#asked = asked
    this.#streams = registry.counter(FAMILIES.rolloutStreams, labels)
    this.#traps = registry.counter(FAMILIES.rolloutTraps, labels)
    this.#calls = registry.counter(FAMILIES.rolloutHostCalls, labels)
    this.#squares = registry.counter(FAMILIES.rolloutHostCallSquares, labels)
  }

  ended({ failed, hostCalls, metrics, defined }: Tally): void {
    this.#streams.value += 1
    if (failed) this.#traps.value += 1
    this.#calls.value += hostCalls
    this.#squares.value += hostCalls * hostCalls
    if (this.#asked.length === 0 || defined === undefined) return
    if (this.#seen.get(defined) !== defined.size) {
      this.#seen.set(defined, defined.size)
      for (const metric of defined.values()) this.#cellsOf(metric)
    }
    if (metrics === undefined) return
    /** Series of one metric are one: their labels stand in the names of several. */
    const added = new Map<Cells, number>()
    for (const [metric, { count, sum, squares }] of metrics) {
      const cells = this.#cellsOf(metric)
      if (cells === undefined) continue
      if (cells.type === MetricType.Histogram) {
        cells.values.value += count
        cells.sum.value += sum
        cells.squares.value += squares
      } else if (cells.type === MetricType.Counter) {
        added.set(cells, (added.get(cells) ?? 0) + sum)
      }
    }
    for (const [cells, sum] of added) {
      cells.sum.value += sum
      cells.squares.value += sum * sum
    }
  }

  #cellsOf(metric: GuestMetric): Cells | undefined {
    let cells = this.#known.get(metric)
    if (cells === undefined) {
      const shown = this.#guests.nameOf(metric.name)
      const asked = this.#asked.find((name) => name === metric.name || name === shown)
      cells = asked === undefined ? false : this.#made(asked, metric.type)
      this.#known.set(metric, cells)
    }
    return cells === false ? undefined : cells
  }

  #made(metric: string, type: MetricType): Cells {
    const key = `${type} ${metric}`
    let cells = this.#cells.get(key)
    if (cells === undefined) {
      const labels = { ...this.#labels, metric, type: TYPES[type] }
      this.#registry.counter(FAMILIES.rolloutMetricDefined, labels).add()
      cells = {
        type,
        values: this.#registry.counter(FAMILIES.rolloutMetricValues, labels),
        sum: this.#registry.counter(FAMILIES.rolloutMetricSum, labels),
        squares: this.#registry.counter(FAMILIES.rolloutMetricSquares, labels),
      }
      this.#cells.set(key, cells)
    }
    return cells
  }
}
