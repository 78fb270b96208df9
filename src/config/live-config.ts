/**
 * What this isolate runs, and when it looks for something newer. One per isolate; the request path
 * asks it with `current`. It holds values only: a promise made in one request must not be awaited by
 * another, so a read is owned by the request that began it (through its `waitUntil`), others wait on
 * timers of their own, and a read whose request died is taken over after `OWNER_MS`.
 *
 * Younger than `refreshSeconds`: answered from memory. Older: answered from memory while one request
 * reads in the background. Older than `maxStaleSeconds`: read first, for 250 ms at most. Whatever is
 * wrong with the store, what runs goes on; with nothing running yet, `previous` and then the baseline
 * are tried. Nothing that was refused is forgotten: see `status`.
 */
import type { Activate, RequestScope } from './activation.ts'
import type { ActivePointer } from './active-pointer.ts'
import { parseActivePointer } from './active-pointer.ts'
import type { ConfigClock } from './clock.ts'
import { readSnapshot } from './read-snapshot.ts'
import { Refusals } from './refusals.ts'
import type { Refusal } from './refusals.ts'
import type { Snapshot } from './snapshot.ts'
import type { ConfigSource } from './source.ts'
import { withDeadline } from './with-deadline.ts'

/** How long a request waits for news when what runs is older than `maxStaleSeconds`. */
const STALE_DEADLINE_MS = 250
/** How long one read of the store may take before the store counts as down. */
const READ_DEADLINE_MS = 3_000
/** After this long a read in flight counts as lost with the request that owned it. */
const OWNER_MS = 10_000
/** The first pause after a failed read; it doubles up to `refreshSeconds`. */
const RETRY_MS = 1_000
/** How often a request that waits for another's read looks. */
const POLL_MS = 5

/** Where what runs came from. */
export type Origin = 'active' | 'previous' | 'baseline'

/** A snapshot that runs, whole: a request takes one at its start and keeps it to its end. */
export interface ActiveConfig<Running> {
  /** 0 for `previous` and the baseline: they run without a number of their own. */
  readonly revision: number
  /** sha256 of the snapshot. */
  readonly hash: string
  readonly issuedAt: string
  readonly origin: Origin
  readonly snapshot: Snapshot
  /** What the gateway made of the snapshot when it was activated. */
  readonly running: Running
}

export interface Baseline {
  readonly hash: string
  readonly snapshot: Snapshot
}

export interface LiveConfigStatus {
  readonly revision: number
  readonly snapshot: string | null
  readonly issuedAt: string | null
  readonly origin: Origin | 'none'
  /** When the store last said what is active; null when it never did. */
  readonly checkedAt: string | null
  /** A revision the pointer names whose snapshot the store does not show yet. */
  readonly pending: { readonly revision: number; readonly snapshot: string } | null
  readonly refusals: readonly Refusal[]
}

export interface LiveConfigOptions<Running> {
  readonly source: ConfigSource
  readonly activate: Activate<Running>
  readonly clock: ConfigClock
  /** Seconds; 30 when absent. */
  readonly refreshSeconds?: number | undefined
  /** Seconds; twice `refreshSeconds` when absent. */
  readonly maxStaleSeconds?: number | undefined
  /** Hears of everything that is refused. */
  readonly onRefusal?: (refusal: Refusal) => void
  /** Runs when a cold isolate finds nothing it can run. */
  readonly baseline?: Baseline
}

export class LiveConfig<Running> {
  readonly #source: ConfigSource
  readonly #activate: Activate<Running>
  readonly #clock: ConfigClock
  readonly #refreshMs: number
  readonly #maxStaleMs: number
  readonly #baseline: Baseline | undefined
  readonly #refusals: Refusals = new Refusals()
  readonly #onRefusal: ((refusal: Refusal) => void) | undefined

  #config: ActiveConfig<Running> | undefined
  #pending: ActivePointer | undefined
  /** When the store last gave a sound pointer. */
  #checkedAt = 0
  /** Before this time nothing is read. */
  #nextReadAt = 0
  #failures = 0
  /** Since when a read is in flight; the object's identity is its owner's token. */
  #reading: { readonly since: number } | undefined

  constructor(options: LiveConfigOptions<Running>) {
    this.#source = options.source
    this.#activate = options.activate
    this.#clock = options.clock
    this.#refreshMs = (options.refreshSeconds ?? 30) * 1000
    this.#maxStaleMs =
      options.maxStaleSeconds === undefined ? this.#refreshMs * 2 : options.maxStaleSeconds * 1000
    this.#baseline = options.baseline
    this.#onRefusal = options.onRefusal
  }

  /**
   * The configuration this request runs with, at once when what runs is fresh enough.
   * @param scope the request; a read that this request begins is held by its `waitUntil`
   * @returns undefined (through a promise) when there is nothing to run: answer 503 `config.none`
   */
  current(scope: RequestScope): ActiveConfig<Running> | Promise<ActiveConfig<Running> | undefined> {
    const now = this.#clock.now()
    const config = this.#config
    if (config === undefined) return this.#first(scope, now)
    if (now < this.#nextReadAt) return config
    const stale = now - this.#checkedAt > this.#maxStaleMs
    if (this.#inFlight(now)) return stale ? this.#whileStale() : config
    const read = this.#begin(scope, now)
    return stale ? this.#atMost(read, STALE_DEADLINE_MS) : config
  }

  /**
   * Reads the store now, whatever the age of what runs, and answers when that is done.
   * @param scope the request that asked
   */
  async refresh(scope: RequestScope): Promise<LiveConfigStatus> {
    // A read in flight may have begun before the change the caller wants to see: let it end first.
    await this.#whileReading(OWNER_MS)
    await this.#begin(scope, this.#clock.now())
    return this.status()
  }

  status(): LiveConfigStatus {
    const config = this.#config
    const pending = this.#pending
    return {
      revision: config?.revision ?? 0,
      snapshot: config?.hash ?? null,
      issuedAt: config?.issuedAt ?? null,
      origin: config?.origin ?? 'none',
      checkedAt: this.#checkedAt === 0 ? null : new Date(this.#checkedAt).toISOString(),
      pending:
        pending === undefined ? null : { revision: pending.revision, snapshot: pending.snapshot },
      refusals: this.#refusals.list(),
    }
  }

  #inFlight(now: number): boolean {
    return this.#reading !== undefined && now - this.#reading.since < OWNER_MS
  }

  /** Nothing runs yet: wait for the first read, ours or another request's. */
  async #first(scope: RequestScope, now: number): Promise<ActiveConfig<Running> | undefined> {
    if (this.#inFlight(now)) {
      await this.#whileReading(OWNER_MS)
      if (this.#config !== undefined) return this.#config
    }
    const later = this.#clock.now()
    if (this.#inFlight(later) || later < this.#nextReadAt) return this.#config
    await this.#begin(scope, later)
    return this.#config
  }

  async #whileStale(): Promise<ActiveConfig<Running> | undefined> {
    await this.#whileReading(STALE_DEADLINE_MS)
    return this.#config
  }

  async #atMost(read: Promise<void>, ms: number): Promise<ActiveConfig<Running> | undefined> {
    await Promise.race([read, this.#clock.sleep(ms)])
    return this.#config
  }

  /** Ends when no read is in flight, or `ms` after the one in flight began. */
  async #whileReading(ms: number): Promise<void> {
    const began = this.#reading
    if (began === undefined) return
    while (this.#reading === began && this.#clock.now() - began.since < ms) {
      await this.#clock.sleep(POLL_MS)
    }
  }

  /** Begins a read that this request owns. Never rejects. */
  #begin(scope: RequestScope, now: number): Promise<void> {
    const token = { since: now }
    this.#reading = token
    const read = this.#readAs(token, scope)
    scope.waitUntil(read)
    return read
  }

  async #readAs(token: { readonly since: number }, scope: RequestScope): Promise<void> {
    const sound = await this.#read(scope)
    this.#failures = sound ? 0 : this.#failures + 1
    if (sound) this.#checkedAt = token.since
    this.#nextReadAt = sound ? token.since + this.#refreshMs : this.#clock.now() + this.#retryMs()
    if (this.#reading === token) this.#reading = undefined
  }

  #retryMs(): number {
    const grown = RETRY_MS * 2 ** Math.min(this.#failures - 1, 10)
    // An isolate with nothing to serve asks often: each pause is a second of 503.
    return this.#config === undefined ? RETRY_MS : Math.min(grown, this.#refreshMs)
  }

  /** One look at the store. @returns whether what should run is known and runs */
  async #read(scope: RequestScope): Promise<boolean> {
    try {
      const sound = await this.#readActive(scope)
      if (!sound && this.#config === undefined) await this.#startWithBaseline(scope)
      return sound
    } catch (error) {
      this.#refuse('config.source_unavailable', describe(error), 0)
      if (this.#config === undefined) await this.#startWithBaseline(scope)
      return false
    }
  }

  async #readActive(scope: RequestScope): Promise<boolean> {
    const text = await this.#get('active')
    if (text === null) {
      // A store that is still empty has nothing that could be refused; `origin` says that nothing runs.
      if (this.#config !== undefined) {
        this.#refuse('config.pointer_missing', 'the store has no key `active`', 0)
      }
      return false
    }
    const parsed = parseActivePointer(text)
    if ('wrong' in parsed) {
      this.#refuse('config.pointer_invalid', `active: ${parsed.wrong}`, 0)
      return false
    }
    const { pointer } = parsed
    const running = this.#config
    if (running !== undefined && running.origin === 'active') {
      if (pointer.revision === running.revision && pointer.snapshot === running.hash) return true
      if (pointer.revision <= running.revision) return this.#refuseOlder(pointer, running.revision)
    }
    return this.#take(pointer, scope)
  }

  /** An older pointer proves that the store answers; it is refused, and what runs is up to date. */
  #refuseOlder(pointer: ActivePointer, running: number): boolean {
    const reused = pointer.revision === running
    const message = reused
      ? `active names another snapshot under revision ${running}, which runs already`
      : `active names revision ${pointer.revision}; ${running} runs`
    this.#refuse(
      reused ? 'config.revision_reused' : 'config.revision_older',
      message,
      pointer.revision,
    )
    return true
  }

  async #take(pointer: ActivePointer, scope: RequestScope): Promise<boolean> {
    if (this.#config?.hash === pointer.snapshot) {
      // The same snapshot under a new number: nothing to start.
      const { revision, issuedAt } = pointer
      this.#config = { ...this.#config, revision, issuedAt, origin: 'active' }
      return true
    }
    const taken = await this.#run(pointer.snapshot, pointer, 'active', scope)
    if (taken) return true
    if (this.#config === undefined && pointer.previous !== null) {
      await this.#run(pointer.previous, pointer, 'previous', scope)
    }
    return false
  }

  /** Reads a snapshot and activates it. @returns whether it runs */
  async #run(
    hash: string,
    pointer: ActivePointer,
    origin: Origin,
    scope: RequestScope,
  ): Promise<boolean> {
    const read = await readSnapshot(await this.#get(`snapshot.${hash}`), hash)
    if ('found' in read) {
      const revision = origin === 'active' ? pointer.revision : 0
      const { issuedAt } = pointer
      const started = await this.#start(read.found, { revision, hash, issuedAt, origin }, scope)
      if (started && origin === 'active') this.#pending = undefined
      return started
    }
    if (read.code === 'config.snapshot_pending' && origin === 'active') this.#pending = pointer
    else this.#refuse(read.code, read.message, pointer.revision)
    return false
  }

  async #startWithBaseline(scope: RequestScope): Promise<void> {
    if (this.#baseline === undefined) return
    const { hash, snapshot } = this.#baseline
    const issuedAt = new Date(this.#clock.now()).toISOString()
    await this.#start(snapshot, { revision: 0, hash, issuedAt, origin: 'baseline' }, scope)
  }

  async #start(
    snapshot: Snapshot,
    about: Pick<ActiveConfig<Running>, 'revision' | 'hash' | 'issuedAt' | 'origin'>,
    scope: RequestScope,
  ): Promise<boolean> {
    // Two owners can overlap when one was taken for lost: the higher revision stays.
    const overtaken = (): boolean => (this.#config?.revision ?? 0) > about.revision
    if (overtaken()) return true
    try {
      const { running, plugins } = await this.#activate(snapshot, scope)
      if (overtaken()) return true
      this.#config = { ...about, snapshot, running }
      for (const { plugin, outcome, code, reason } of plugins) {
        if (outcome !== 'last-good' && outcome !== 'failed') continue
        const what =
          outcome === 'failed' ? 'nothing runs in its place' : 'its last good version runs'
        const message = `${plugin} did not start (${reason ?? 'no reason given'}); ${what}`
        this.#refuse(code ?? 'plugin.not_activated', message, about.revision, plugin)
      }
      return true
    } catch (error) {
      const message = `snapshot ${about.hash} did not start: ${describe(error)}`
      this.#refuse('config.activation_failed', message, about.revision)
      return false
    }
  }

  async #get(key: string): Promise<string | null> {
    return withDeadline(this.#source.get(key), READ_DEADLINE_MS, this.#clock, key)
  }

  #refuse(code: string, message: string, revision: number, plugin?: string): void {
    const at = new Date(this.#clock.now()).toISOString()
    const about = { code, message, at, revision }
    const refusal = plugin === undefined ? about : { ...about, plugin }
    this.#refusals.add(refusal)
    this.#onRefusal?.(refusal)
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
