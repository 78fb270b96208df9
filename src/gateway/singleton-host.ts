/**
 * Runs the singletons of a gateway: plugins with one vm for all of it, which no request passes. They
 * are fed by queues and ticks. Where it runs is whoever calls: it says when it wants to be called next.
 */
import type { RequestScope } from '../config/activation.ts'
import { FAMILIES } from '../observe/index.ts'
import { type IoContext, runIn } from '../proxy-wasm/index.ts'
import { InMemorySharedQueues } from '../proxy-wasm/in-memory/shared-queues.ts'
import { Core, type CoreOptions } from './core.ts'
import { Meters } from './meters.ts'
import type { Running } from './running.ts'
import type { QueueBatch } from './singletons.ts'

/** When each plugin's next tick is due, in milliseconds since the Unix epoch; kept over restarts. */
export type DueTicks = Readonly<Record<string, number>>

export interface SingletonHostOptions extends CoreOptions {
  readonly due: { load(): DueTicks | undefined; save(due: DueTicks): void }
}

/** How soon to look again for a revision that was announced and is not in the store yet. */
const EXPECTED_MS = 5_000
/** Senders whose last batch is remembered. */
const SENDERS = 1_000
/** How late a tick's new time must be for it to be worth storing. */
const WORTH_STORING_MS = 1_000

export class SingletonHost {
  readonly #core: Core
  readonly #meters: Meters
  readonly #queues = new InMemorySharedQueues()
  readonly #options: SingletonHostOptions
  readonly #batches = new Map<string, number>()
  #ran: Running | undefined
  #stored: DueTicks
  /** The highest revision that was announced. */
  #expected = 0
  #reportedAt = 0
  /** Something has happened since the last report. */
  #news = false
  #nextAt: number | undefined

  constructor(options: SingletonHostOptions) {
    this.#options = options
    this.#meters = new Meters(options.metricTags)
    this.#stored = options.due.load() ?? {}
    // one that is idle waits for its next tick or item: its memory is what it is for
    this.#core = new Core(
      { ...options, vmMemoryBytes: Number.POSITIVE_INFINITY },
      {
        meters: this.#meters,
        runs: ({ singleton }) => singleton === true,
        sharedQueues: this.#queues,
      },
    )
  }

  /** When to call `turn` next, in milliseconds since the Unix epoch; undefined: when something happens. */
  get nextAt(): number | undefined {
    return this.#nextAt
  }

  /** Looks for a new configuration, then takes a turn. @param revision - that is active, where that is known */
  async wake(scope: RequestScope, revision?: number): Promise<void> {
    this.#expected = Math.max(this.#expected, revision ?? 0)
    const { live } = this.#core
    if (revision === undefined || live.status().revision < revision) await live.refresh(scope)
    await this.turn(scope)
  }

  /** Starts what does not run, runs ticks that are due, and works out when the next turn is. */
  async turn(scope: RequestScope): Promise<void> {
    await this.#ready(scope)
    const { pool } = this.#core
    this.#news ||= (pool.ticks.nextMs ?? Number.POSITIVE_INFINITY) <= pool.now()
    pool.ticks.run(this.#io(scope))
    await this.#settle(scope)
  }

  /** Takes items into the queues; singletons hear of them before this ends. A batch counts once. */
  async enqueue(scope: RequestScope, { sender, sequence, items }: QueueBatch): Promise<void> {
    await this.#ready(scope)
    if (sequence > (this.#batches.get(sender) ?? 0)) {
      this.#remember(sender, sequence)
      this.#news = true
      runIn(this.#io(scope), () => {
        for (const { vmId, name, item } of items) {
          const queue = this.#queues.resolve(vmId, name)
          if (queue === undefined) this.#meters.registry.counter(FAMILIES.itemsDropped).add()
          else this.#queues.enqueue(queue, item)
        }
      })
    }
    await this.#settle(scope)
  }

  async #ready(scope: RequestScope): Promise<void> {
    await this.#core.live.current(scope)
    const { running } = this.#core.activator
    if (running === undefined) return
    const io = this.#io(scope)
    const had = this.#ran?.plugins.size ?? 0
    let started = this.#ran !== running && had + running.plugins.size > 0
    this.#ran = running
    for (const [id, plugin] of running.plugins) {
      if (plugin.state === 'running') continue
      const root = runIn(io, () => plugin.acquire())
      if (root === undefined) continue
      started = true
      // it was due before this vm was made: the period does not begin anew with each vm
      const due = this.#stored[id]
      if (due !== undefined) root.hastenTick(this.#core.pool.now() + due - Date.now())
    }
    // items that wait were announced to a vm that is no more
    if (!started) return
    this.#news = true
    runIn(io, () => this.#queues.announce())
  }

  #io(scope: RequestScope): IoContext {
    return { waitUntil: (promise) => scope.waitUntil(promise), gone: false }
  }

  #remember(sender: string, sequence: number): void {
    this.#batches.delete(sender)
    this.#batches.set(sender, sequence)
    const [oldest] = this.#batches.keys()
    if (this.#batches.size > SENDERS && oldest !== undefined) this.#batches.delete(oldest)
  }

  async #settle(scope: RequestScope): Promise<void> {
    const now = Date.now()
    const { live, pool, activator, reports } = this.#core
    const epoch = now - pool.now()
    const due: Record<string, number> = {}
    const wanted: number[] = []
    for (const [id, ms] of pool.ticks.due()) wanted.push((due[id] = ms + epoch))
    for (const [id, { retryAtMs, state }] of activator.running?.plugins ?? []) {
      if (state === 'running') continue
      wanted.push(retryAtMs + epoch)
      // what was due when it failed is due when it runs again
      due[id] ??= this.#stored[id] ?? now
    }
    this.#store(due)
    if (live.status().revision < this.#expected) wanted.push(now + EXPECTED_MS)
    const everyMs = this.#options.reports?.everyMs
    if (everyMs !== undefined && this.#news) {
      if (now - this.#reportedAt >= everyMs) {
        this.#reportedAt = now
        this.#news = false
        await reports.now(scope)
      } else wanted.push(this.#reportedAt + everyMs)
    }
    this.#nextAt = wanted.length === 0 ? undefined : Math.min(...wanted)
  }

  /** Only what would be missed after a restart is worth a write: short periods begin anew. */
  #store(due: DueTicks): void {
    const ids = new Set([...Object.keys(due), ...Object.keys(this.#stored)])
    const changed = [...ids].some((id) => {
      const [now, before] = [due[id], this.#stored[id]]
      if (now === undefined || before === undefined) return true
      return Math.abs(now - before) >= WORTH_STORING_MS
    })
    if (!changed) return
    this.#stored = due
    this.#options.due.save(due)
  }
}
