/**
 * When an isolate reads its store, and who waits for that. It holds values only: a promise made in one
 * request must not be awaited by another, so a read is owned by the request that began it (through its
 * `waitUntil`), others wait on timers of their own, and a read whose request died is taken over after
 * `OWNER_MS`.
 *
 * Younger than `refreshMs`: nothing is read. Older: one request reads in the background. Older than
 * `maxStaleMs`: it reads first, for 250 ms at most. With nothing running yet, everybody waits.
 */
import type { RequestScope } from './activation.ts'
import type { ConfigClock } from './clock.ts'

/** How long a request waits for news when what runs is older than `maxStaleMs`. */
const STALE_DEADLINE_MS = 250
/** After this long a read in flight counts as lost with the request that owned it. */
const OWNER_MS = 10_000
/** The first pause after a failed read; it doubles up to `refreshMs`. */
const RETRY_MS = 1_000
/** How often a request that waits for another's read looks. */
const POLL_MS = 5

export interface ReadScheduleOptions {
  readonly clock: ConfigClock
  readonly refreshMs: number
  readonly maxStaleMs: number
  /** Whether something runs. */
  readonly runs: () => boolean
  /** Looks at the store once. @returns whether what should run is known and runs; never rejects */
  readonly read: (scope: RequestScope) => Promise<boolean>
}

export class ReadSchedule {
  readonly #options: ReadScheduleOptions
  /** When the store last gave a sound answer. */
  #checkedAt = 0
  /** Before this time nothing is read. */
  #nextReadAt = 0
  #failures = 0
  /** Since when a read is in flight; the object's identity is its owner's token. */
  #reading: { readonly since: number } | undefined

  constructor(options: ReadScheduleOptions) {
    this.#options = options
  }

  /** When the store last said what is active, in milliseconds since the Unix epoch; 0 for never. */
  get checkedAt(): number {
    return this.#checkedAt
  }

  /**
   * Begins a read when one is due.
   * @param scope the request; a read that it begins is held by its `waitUntil`
   * @returns what the request has to wait for; undefined when it need not wait
   */
  due(scope: RequestScope): Promise<void> | undefined {
    const { clock, runs, maxStaleMs } = this.#options
    const now = clock.now()
    if (!runs()) return this.#first(scope, now)
    if (now < this.#nextReadAt) return undefined
    const stale = now - this.#checkedAt > maxStaleMs
    if (this.#inFlight(now)) return stale ? this.#whileReading(STALE_DEADLINE_MS) : undefined
    const read = this.#begin(scope, now)
    return stale ? Promise.race([read, clock.sleep(STALE_DEADLINE_MS)]) : undefined
  }

  /** Reads now, whatever the age of what runs. */
  async now(scope: RequestScope): Promise<void> {
    // A read in flight may have begun before the change the caller wants to see: let it end first.
    await this.#whileReading(OWNER_MS)
    await this.#begin(scope, this.#options.clock.now())
  }

  #inFlight(now: number): boolean {
    return this.#reading !== undefined && now - this.#reading.since < OWNER_MS
  }

  /** Nothing runs yet: wait for the first read, ours or another request's. */
  async #first(scope: RequestScope, now: number): Promise<void> {
    const { clock, runs } = this.#options
    if (this.#inFlight(now)) {
      await this.#whileReading(OWNER_MS, runs)
      if (runs()) return
    }
    const later = clock.now()
    if (this.#inFlight(later) || later < this.#nextReadAt) return
    // a read may go on for longer than it takes to find something that runs meanwhile
    await Promise.race([this.#begin(scope, later), this.#whileReading(OWNER_MS, runs)])
  }

  /** Ends when no read is in flight, `ms` after the one in flight began, or when there is enough. */
  async #whileReading(ms: number, enough: () => boolean = () => false): Promise<void> {
    const began = this.#reading
    if (began === undefined) return
    const { clock } = this.#options
    while (this.#reading === began && clock.now() - began.since < ms && !enough()) {
      await clock.sleep(POLL_MS)
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
    const { clock, read, refreshMs } = this.#options
    const sound = await read(scope)
    this.#failures = sound ? 0 : this.#failures + 1
    if (sound) this.#checkedAt = token.since
    this.#nextReadAt = sound ? token.since + refreshMs : clock.now() + this.#retryMs()
    if (this.#reading === token) this.#reading = undefined
  }

  #retryMs(): number {
    const grown = RETRY_MS * 2 ** Math.min(this.#failures - 1, 10)
    // An isolate with nothing to serve asks often: each pause is a second of 503.
    return this.#options.runs() ? Math.min(grown, this.#options.refreshMs) : RETRY_MS
  }
}
