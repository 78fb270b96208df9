/**
 * Guest metrics among the others: the machine's port keeps them by the names that plugins give, and here
 * those names become names and labels. A name is looked at once.
 */
import { InMemoryMetrics } from '../proxy-wasm/in-memory/metrics.ts'
import { FAMILIES } from './families.ts'
import { labelText } from './labels.ts'
import type { Sample } from './metric.ts'
import { type TagRule, tagName } from './tag-rules.ts'

/** Series that plugins may define in one isolate: each is in every scrape and in the reports' object. */
export const GUEST_SERIES_MAX = 2_000

type Named = Pick<Sample, 'name' | 'labels'>

export class GuestMetrics {
  /** The machine's port. It outlives vms and snapshots, and with it the values. */
  readonly port: InMemoryMetrics = new InMemoryMetrics(GUEST_SERIES_MAX)
  readonly #rules: readonly TagRule[]
  readonly #names = new Map<string, Named>()

  constructor(rules: readonly TagRule[] = []) {
    this.#rules = rules
  }

  /** To be added to a registry. */
  readonly samples = (): Sample[] => {
    const samples = this.port.snapshot().map((metric): Sample => {
      const { name, labels } = this.#named(metric.name)
      if (metric.type !== 'histogram') {
        return { kind: metric.type, name, labels, value: metric.value }
      }
      const { count, sum } = metric
      const buckets = metric.buckets.map((one) => one.count)
      return { kind: 'histogram', name, labels, count, sum, buckets }
    })
    const { dropped } = this.port
    if (dropped === 0) return samples
    const { name, kind } = FAMILIES.definitionsDropped
    return [...samples, { kind, name, labels: '', value: dropped }]
  }

  /** Under which name a plugin's metric is shown, its labels apart. */
  nameOf(raw: string): string {
    return this.#named(raw).name
  }

  #named(raw: string): Named {
    const known = this.#names.get(raw)
    if (known !== undefined) return known
    const { name, labels } = tagName(raw, this.#rules)
    const named = { name, labels: labelText(labels) }
    this.#names.set(raw, named)
    return named
  }
}
