/**
 * The metrics of one isolate: cells that code counts in, and sources that are asked when somebody
 * looks. Making a cell costs a lookup, so it is done once and the cell is kept.
 */
import { type Labels, labelText } from './labels.ts'
import { Counter, type Family, Gauge, Histogram, type MetricKind, type Sample } from './metric.ts'
import { Totals } from './totals.ts'

interface Cell {
  readonly kind: MetricKind
  readonly name: string
  readonly labels: string
  readonly cell: Counter | Gauge | Histogram
  /** Of a counter that nobody should count in any more: what it was when that was last looked at. */
  last?: number
}

export class Registry {
  readonly #cells = new Map<string, Cell>()
  readonly #sources: (() => Iterable<Sample>)[] = []

  /** @returns the one counter with these labels */
  counter(family: Family & { readonly kind: 'counter' }, labels?: Labels): Counter {
    return this.#cell(family, labels, () => new Counter())
  }

  gauge(family: Family & { readonly kind: 'gauge' }, labels?: Labels): Gauge {
    return this.#cell(family, labels, () => new Gauge())
  }

  histogram(family: Family & { readonly kind: 'histogram' }, labels?: Labels): Histogram {
    return this.#cell(family, labels, () => new Histogram())
  }

  /** Adds something that knows its values itself and says them when asked. */
  addSource(source: () => Iterable<Sample>): void {
    this.#sources.push(source)
  }

  /** Every series with its value now; counters and histograms without any count are left out. */
  collect(): Totals {
    const totals = new Totals()
    for (const { cell, ...series } of this.#cells.values()) {
      const sample = sampleOf(series, cell)
      if (sample !== undefined) totals.add([sample])
    }
    for (const source of this.#sources) totals.add(source())
    return totals
  }

  /**
   * Lets go of counters that are over. To be called when all has been taken: requests that began before may
   * count on, so a counter goes only when it is as it was the last time.
   * @param isOver - by labels, as text
   */
  forget(isOver: (labels: string) => boolean): void {
    for (const [key, one] of this.#cells) {
      const { cell, labels, last } = one
      if (!(cell instanceof Counter) || !isOver(labels)) continue
      if (last === cell.value) this.#cells.delete(key)
      else one.last = cell.value
    }
  }

  #cell<T extends Counter | Gauge | Histogram>(
    { name, kind }: Family,
    labels: Labels = {},
    make: () => T,
  ): T {
    const text = labelText(labels)
    const key = `${name}{${text}}`
    const known = this.#cells.get(key)
    // a family has one kind, and a kind one class of cell
    if (known !== undefined) return known.cell as T
    const cell = make()
    this.#cells.set(key, { kind, name, labels: text, cell })
    return cell
  }
}

function sampleOf(series: Omit<Cell, 'cell'>, cell: Cell['cell']): Sample | undefined {
  const { name, labels } = series
  if (cell instanceof Histogram) {
    const { count, sum, buckets } = cell.snapshot()
    if (count === 0) return undefined
    return { kind: 'histogram', name, labels, count, sum, buckets: buckets.map((one) => one.count) }
  }
  if (cell instanceof Gauge) return { kind: 'gauge', name, labels, value: cell.value }
  return cell.value === 0 ? undefined : { kind: 'counter', name, labels, value: cell.value }
}
