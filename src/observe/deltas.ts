/** What has been counted since it was last taken. */
import { added, type Sample, seriesKey } from './metric.ts'
import { Totals } from './totals.ts'

export class Deltas {
  #taken = new Totals()

  /** @returns what counters and histograms grew by since the last time; gauges as they are */
  take(now: Totals): Sample[] {
    const grown: Sample[] = []
    for (const sample of now.samples()) {
      const before = sample.kind === 'gauge' ? undefined : this.#taken.get(seriesKey(sample))
      const delta = before === undefined ? sample : added(sample, before, -1)
      if (delta.kind === 'gauge' || amount(delta) > 0) grown.push(delta)
    }
    this.#taken = now
    return grown
  }
}

function amount(sample: Sample): number {
  return sample.kind === 'histogram' ? sample.count : sample.value
}
