/**
 * When an isolate reports, and what. The request that finds no report planned plans one: it waits in
 * that request's `waitUntil`, so that what the last request of a burst counted is sent as well, and no
 * request waits for it. A batch is kept until it is acknowledged and is sent again as it was, under its
 * number; whoever takes it in knows by the number that it is the same.
 */
import { Deltas } from './deltas.ts'
import { FAMILIES } from './families.ts'
import type { Counter } from './metric.ts'
import type { Registry } from './registry.ts'
import { ReportRefused } from './report-refused.ts'
import type { IsolateFacts, MergedView, Report, ReportReply, ReportSink } from './report.ts'

/** Keeps work going beyond a response. */
interface Scope {
  waitUntil(promise: Promise<unknown>): void
}

export interface ReporterOptions {
  readonly sink: ReportSink
  readonly registry: Registry
  /** What the isolate says of itself now. */
  readonly facts: () => IsolateFacts
  /** Between two reports, give or take a quarter. Less than `waitUntil` lasts: 30 s on the edge. */
  readonly everyMs: number
  /** By labels: counters that are sent for the last time, and then forgotten. */
  readonly isOver?: (labels: string) => boolean
  /** Hears what the other side says. */
  readonly onReply?: (reply: ReportReply, scope: Scope) => void
  readonly sleep?: (ms: number) => Promise<void>
}

/** How long after its time a planned report counts as lost with the request that planned it. */
const LOST_MS = 10_000
const DEADLINE_MS = 5_000
/** A new isolate is seen soon. */
const FIRST_MS = 1_000

export class Reporter {
  /** Milliseconds since the Unix epoch: before this time a request has nothing to do for reports. */
  nextAt = 0
  readonly #options: ReporterOptions
  readonly #sleep: (ms: number) => Promise<void>
  readonly #deltas = new Deltas()
  readonly #failed: Counter
  /** Made by the first request: there is no randomness before. */
  #isolate: string | undefined
  #sequence = 0
  #pending: Report | undefined

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#sleep = options.sleep ?? ((ms) => new Promise((resolve) => void setTimeout(resolve, ms)))
    this.#failed = options.registry.counter(FAMILIES.reportsFailed)
  }

  /** Plans a report. To be called when `nextAt` has come; never rejects. */
  plan(scope: Scope, now: number): void {
    const { everyMs } = this.#options
    const first = this.nextAt === 0 ? Math.min(FIRST_MS / everyMs, 1) : 1
    const delay = everyMs * first * (0.75 + Math.random() / 2)
    const planned = now + delay + LOST_MS
    this.nextAt = planned
    scope.waitUntil(
      this.#sleep(delay)
        .then(() => this.send(scope))
        .catch(() => undefined)
        .then(() => {
          // 1 and not 0: the next one is not the first
          if (this.nextAt === planned) this.nextAt = 1
        }),
    )
  }

  /** Sends what is there to be sent. @throws when it was not acknowledged; it is kept then */
  async send(scope: Scope): Promise<void> {
    const report = (this.#pending ??= this.#batch())
    let reply: ReportReply
    try {
      reply = await inTime(this.#options.sink.send(report), DEADLINE_MS)
    } catch (error) {
      this.#failed.add()
      // the number that is left out tells the other side that something is missing
      if (error instanceof ReportRefused && this.#pending === report) this.#pending = undefined
      throw error
    }
    // another request may have sent the same batch meanwhile, and begun the next
    if (this.#pending !== undefined && reply.acknowledged >= this.#pending.sequence) {
      this.#pending = undefined
    }
    this.#options.onReply?.(reply, scope)
  }

  /** Reports everything up to now, then reads what all have reported. @throws when that cannot be had */
  async view(scope: Scope, node?: string): Promise<MergedView> {
    const look = this.#look()
    if (this.#pending !== undefined) await this.send(scope)
    await this.send(scope)
    return inTime(look(node), DEADLINE_MS)
  }

  /** Reads what all have reported so far. @throws when there is no answer within the deadline */
  async read(deadlineMs: number): Promise<MergedView> {
    return inTime(this.#look()(), deadlineMs)
  }

  #look(): (node?: string) => Promise<MergedView> {
    const { sink } = this.#options
    if (sink.view === undefined) throw new Error(`they are seen at the hub ${sink.hub}`)
    return (node) => sink.view?.(node) as Promise<MergedView>
  }

  #batch(): Report {
    const { facts, registry, isOver } = this.#options
    this.#isolate ??= crypto.randomUUID()
    this.#sequence += 1
    const metrics = this.#deltas.take(registry.collect())
    // what was counted is in the batch, which is kept until it has arrived
    if (isOver !== undefined) registry.forget(isOver)
    return { ...facts(), isolate: this.#isolate, sequence: this.#sequence, metrics }
  }
}

/** @throws when there is no answer within the deadline */
async function inTime<T>(answer: Promise<T>, deadlineMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs)
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
