/**
 * Ticks while there is work in flight. A tick that is due runs at its vm's next turn; so that a turn
 * comes while requests wait for their upstreams, a few of them keep a timer. The timers are plain ones:
 * they ring only as long as something else keeps their request alive, and with no plugin that ticks
 * there is none at all.
 */
import type { Ports } from '../ports.ts'
import { type IoContext, runIn } from '../stream/io-context.ts'
import type { RootContext } from './root-context.ts'

/** Requests that keep a timer at one time: one would do, were it sure to outlive the others. */
const TIMERS = 8
/** A timer that is so late has gone with its request. */
const LATE_MS = 1_000
/** How long after a stream's end its callouts may keep ticks going. */
const AFTERWARDS_MS = 30_000

/** One request's timer. */
interface Watch {
  /** Milliseconds of the monotonic clock. */
  dueAt: number
  cancel: () => void
}

export class Ticks {
  readonly #ports: Ports
  readonly #roots = new Set<RootContext>()
  readonly #watches = new Set<Watch>()

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /** Whether any plugin that runs wants ticks. */
  get wanted(): boolean {
    return this.#roots.size > 0
  }

  /** Milliseconds of the monotonic clock at which the next tick is due. */
  get nextMs(): number | undefined {
    let next: number | undefined
    for (const { nextTickMs } of this.#roots) {
      if (nextTickMs !== undefined && (next === undefined || nextTickMs < next)) next = nextTickMs
    }
    return next
  }

  /** When each plugin's next tick is due, in milliseconds of the monotonic clock. */
  due(): (readonly [plugin: string, ms: number])[] {
    return Array.from(this.#roots, ({ spec, nextTickMs = 0 }) => [spec.name, nextTickMs] as const)
  }

  add(root: RootContext): void {
    this.#roots.add(root)
  }

  remove(root: RootContext): void {
    this.#roots.delete(root)
  }

  /** Runs every tick that is due, in `io`. */
  run(io: IoContext): void {
    runIn(io, () => {
      // a copy: a tick may end its vm
      for (const root of Array.from(this.#roots)) root.turn()
    })
  }

  /**
   * Runs ticks when they are due, from now until the function that is returned is called; when callouts
   * are under way then, until they have ended.
   * @param io - of a request, in which the ticks run
   */
  during(io: IoContext): () => void {
    this.#dropLate()
    if (this.#watches.size >= TIMERS) return () => undefined
    const watch: Watch = { dueAt: 0, cancel: () => undefined }
    let endsAt = Number.POSITIVE_INFINITY
    const stop = (): void => {
      watch.cancel()
      this.#watches.delete(watch)
    }
    const ring = (): void => {
      if (!this.#watches.has(watch)) return
      const over = endsAt < Number.POSITIVE_INFINITY && !this.#callsOut()
      if (io.gone || over || this.#now() > endsAt) return stop()
      this.run(io)
      wait()
    }
    const wait = (): void => {
      const next = this.nextMs
      if (next === undefined) return stop()
      // a clock that is read in whole milliseconds is behind by up to one
      const ms = Math.max(next - this.#now(), 0) + 1
      watch.dueAt = this.#now() + ms
      watch.cancel = this.#ports.timers.after(ms, ring)
    }
    this.#watches.add(watch)
    wait()
    return () => {
      if (this.#callsOut() && !io.gone) endsAt = this.#now() + AFTERWARDS_MS
      else stop()
    }
  }

  #callsOut(): boolean {
    for (const { vm } of this.#roots) if (vm.callouts.size > 0) return true
    return false
  }

  #dropLate(): void {
    const late = this.#now() - LATE_MS
    for (const watch of this.#watches) if (watch.dueAt < late) this.#watches.delete(watch)
  }

  #now(): number {
    return Number(this.#ports.clock.monotonic() / 1_000_000n)
  }
}
