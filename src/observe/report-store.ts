/**
 * Takes in reports and adds them up. What it has taken in is stored before it is acknowledged, one
 * record for each isolate: the sum of its batches and the number of the last one, so that a batch that
 * comes twice or late counts once. Isolates come and go; one that has been silent for long is folded
 * into its node's record, and only its number is remembered.
 */
import { FAMILIES, mergeOf } from './families.ts'
import type { Sample } from './metric.ts'
import { nodeViews } from './node-views.ts'
import { isOfPastRun, type Runs } from './past-runs.ts'
import type {
  ActiveRevision,
  MergedView,
  Report,
  ReportReply,
  VersionedRollouts,
} from './report.ts'
import { Totals } from './totals.ts'

/** Keys and plain values; writes of one turn are kept together or not at all. */
export interface RecordStorage {
  list(prefix: string): Iterable<readonly [key: string, value: unknown]>
  put(key: string, value: unknown): void
  delete(key: string): void
}

export interface ReportStoreOptions {
  readonly storage: RecordStorage
  /** After this long without a report an isolate is gone: its gauges no longer count, its counters do. */
  readonly goneAfterMs: number
}

interface IsolateRecord extends Omit<Report, 'metrics'> {
  readonly seenAt: number
  /** Counters and histograms, added up. */
  readonly totals: readonly Sample[]
  readonly gauges: readonly Sample[]
}

/** What is left of an isolate that was folded. */
interface Trace {
  readonly sequence: number
  readonly seenAt: number
}

const FOLD_AFTER_MS = 60 * 60 * 1000
const FORGET_AFTER_MS = 24 * 60 * 60 * 1000
const FOLD_EVERY_MS = 60_000
/** Of the merged view, and of one record: a record must fit into 2 MB. */
const MAX_SERIES = 10_000
/** Above this many the isolates that have been silent longest are folded, whenever that was. */
const MAX_ISOLATES = 2_000
/** Of folded isolates; the counters of further nodes are kept as one. */
const MAX_NODES = 1_000
const OTHER_NODES = '(others)'
/** Beyond this many a batch that comes twice hours later may count twice. */
const MAX_TRACES = 20_000

export class ReportStore {
  readonly #storage: RecordStorage
  readonly #goneAfterMs: number
  readonly #isolates = new Map<string, IsolateRecord>()
  readonly #folded = new Map<string, readonly Sample[]>()
  readonly #traces = new Map<string, Trace>()
  #active: ActiveRevision | null = null
  #rollouts: VersionedRollouts | undefined
  #lost = 0
  #foldedAt = 0

  constructor({ storage, goneAfterMs }: ReportStoreOptions) {
    this.#storage = storage
    this.#goneAfterMs = goneAfterMs
    // only this class writes records: what it reads is what it wrote
    for (const [key, value] of storage.list('')) {
      const at = key.indexOf(':')
      const name = key.slice(at + 1)
      if (key === 'active') this.#active = value as ActiveRevision
      else if (key === 'rollouts') this.#rollouts = value as VersionedRollouts
      else if (key === 'lost') this.#lost = value as number
      else if (key.startsWith('isolate:')) this.#isolates.set(name, value as IsolateRecord)
      else if (key.startsWith('node:')) this.#folded.set(name, value as readonly Sample[])
      else if (key.startsWith('trace:')) this.#traces.set(name, value as Trace)
    }
  }

  /** Takes a batch in. @param now - milliseconds since the Unix epoch */
  accept(report: Report, now: number): ReportReply {
    const { isolate, sequence } = report
    const before = this.#isolates.get(isolate)
    const last = before?.sequence ?? this.#traces.get(isolate)?.sequence ?? 0
    if (sequence > last) {
      // an isolate sends one batch until it is acknowledged: a gap is a store that has lost its records
      if (last > 0 && sequence > last + 1) this.#put('lost', (this.#lost += sequence - last - 1))
      const { metrics, ...facts } = report
      const record: IsolateRecord = {
        ...facts,
        seenAt: now,
        totals: summed([before?.totals ?? [], metrics.filter(({ kind }) => kind !== 'gauge')]),
        gauges: metrics.filter(({ kind }) => kind === 'gauge'),
      }
      this.#isolates.set(isolate, record)
      this.#put(`isolate:${isolate}`, record)
    }
    this.#fold(now)
    const rollouts = this.#rollouts
    const knows = report.rolloutsVersion
    // who says nothing of them is an older Postern, which would not take them
    const news =
      rollouts !== undefined &&
      knows !== undefined &&
      (knows < rollouts.version || isAnother(rollouts.publisher, report.rolloutsPublisher))
    const acknowledged = Math.max(sequence, last)
    return { acknowledged, active: this.#active, ...(news && { rollouts }) }
  }

  /** Says what is active, for the replies to reports. */
  announce(active: ActiveRevision): void {
    if (active.revision < (this.#active?.revision ?? 0)) return
    this.#active = active
    this.#put('active', active)
  }

  /**
   * Says where rollouts are, for the replies to reports. An older document than the last of the same
   * controller changes nothing; one that had to begin anew counts from 1.
   */
  announceRollouts(rollouts: VersionedRollouts): void {
    const { version, publisher } = this.#rollouts ?? { version: 0 }
    if (rollouts.version <= version && !isAnother(rollouts.publisher, publisher)) return
    this.#rollouts = rollouts
    this.#put('rollouts', rollouts)
  }

  /** @param node - its isolates alone */
  view(now: number, node?: string): MergedView {
    const totals = new Totals(MAX_SERIES)
    const asked = (name: string): boolean => node === undefined || node === name
    for (const [name, samples] of this.#folded) if (asked(name)) totals.add(samples)
    const records = [...this.#isolates.values()].filter((record) => asked(record.node))
    const live = records.filter(({ seenAt }) => now - seenAt <= this.#goneAfterMs)
    for (const record of records) totals.add(record.totals)
    for (const record of live) totals.add(record.gauges, mergeOf)
    return {
      active: this.#active,
      nodes: nodeViews(records, this.#active, now, this.#goneAfterMs),
      metrics: [...totals.samples(), ...this.#own(live, totals.dropped)],
    }
  }

  #own(isolates: readonly IsolateRecord[], dropped: number): Sample[] {
    const newest = Math.max(0, ...isolates.map(({ revision }) => revision))
    const behind = isolates.filter(({ revision }) => revision < newest)
    const counted = [
      [FAMILIES.isolates, isolates.length],
      [FAMILIES.isolatesBehind, behind.length],
      [FAMILIES.reportsLost, this.#lost],
      [FAMILIES.seriesDropped, dropped],
    ] as const
    return counted.flatMap(([{ name, kind }, value]) =>
      kind === 'counter' && value === 0 ? [] : [{ kind, name, labels: '', value }],
    )
  }

  #put(key: string, value: unknown): void {
    this.#storage.put(key, value)
  }

  /** Folds isolates that have been silent for long, and forgets those that were folded long ago. */
  #fold(now: number): void {
    if (this.#isolates.size > MAX_ISOLATES) {
      const [longest] = [...this.#isolates.values()].sort((a, b) => a.seenAt - b.seenAt)
      if (longest !== undefined) this.#foldOne(longest)
    }
    if (now - this.#foldedAt < FOLD_EVERY_MS) return
    this.#foldedAt = now
    for (const record of this.#isolates.values()) {
      if (now - record.seenAt >= FOLD_AFTER_MS) this.#foldOne(record)
    }
    this.#dropPastRuns()
    // in the order in which they were folded: the first are the oldest
    let over = this.#traces.size - MAX_TRACES
    for (const [isolate, { seenAt }] of this.#traces) {
      if (now - seenAt < FORGET_AFTER_MS && over-- <= 0) continue
      this.#traces.delete(isolate)
      this.#storage.delete(`trace:${isolate}`)
    }
  }

  /** What a rollout's earlier runs counted is nobody's any more. */
  #dropPastRuns(): void {
    const { version = 0, rollouts } = this.#rollouts ?? {}
    const records = [...this.#isolates.values()]
    // who knows of later runs than are known here counts in them
    if (!rollouts || records.some(({ rolloutsVersion = 0 }) => rolloutsVersion > version)) return
    for (const record of records) {
      const totals = withoutPastRuns(record.totals, rollouts)
      if (totals.length === record.totals.length) continue
      this.#isolates.set(record.isolate, { ...record, totals })
      this.#put(`isolate:${record.isolate}`, { ...record, totals })
    }
    for (const [node, samples] of this.#folded) {
      const kept = withoutPastRuns(samples, rollouts)
      if (kept.length === samples.length) continue
      this.#folded.set(node, kept)
      this.#put(`node:${node}`, kept)
    }
  }

  #foldOne({ isolate, node, seenAt, sequence, totals }: IsolateRecord): void {
    const known = this.#folded.has(node) || this.#folded.size < MAX_NODES
    const into = known ? node : OTHER_NODES
    const folded = summed([this.#folded.get(into) ?? [], totals])
    this.#folded.set(into, folded)
    this.#put(`node:${into}`, folded)
    this.#isolates.delete(isolate)
    this.#storage.delete(`isolate:${isolate}`)
    this.#traces.set(isolate, { sequence, seenAt })
    this.#put(`trace:${isolate}`, { sequence, seenAt })
  }
}

/** Who has no name is an older Postern: nothing is known of it. */
function isAnother(publisher: string | undefined, known: string | undefined): boolean {
  return publisher !== undefined && known !== undefined && publisher !== known
}

function summed(parts: readonly (readonly Sample[])[]): Sample[] {
  const totals = new Totals(MAX_SERIES)
  for (const part of parts) totals.add(part)
  return totals.samples()
}

/** A plugin may give its own metrics any labels. */
function withoutPastRuns(samples: readonly Sample[], runs: Runs): readonly Sample[] {
  return samples.filter(
    ({ name, labels }) => !name.startsWith('postern_') || !isOfPastRun(labels, runs),
  )
}
