/** A clock and timers that stand still until a test moves them, and what tests wait with. */
import type { Clock, TimersPort } from '../../src/proxy-wasm/index.ts'

interface Alarm {
  readonly at: number
  readonly ring: () => void
}

const START_MS = 1_700_000_000_000

export class FakeTime {
  readonly clock: Clock = {
    realtime: () => BigInt(START_MS + this.#now) * 1_000_000n,
    monotonic: () => BigInt(this.#now) * 1_000_000n,
  }

  readonly timers: TimersPort = {
    after: (ms, ring) => {
      const alarm = { at: this.#now + ms, ring }
      this.#alarms.add(alarm)
      return () => void this.#alarms.delete(alarm)
    },
  }

  #now = 0
  readonly #alarms = new Set<Alarm>()

  /** Milliseconds since the test began. */
  get now(): number {
    return this.#now
  }

  /** Number of timers that have neither rung nor been cancelled. */
  get pending(): number {
    return this.#alarms.size
  }

  /** Lets `ms` pass where nobody waits for a timer. */
  pass(ms: number): void {
    this.#now += ms
  }

  /** Lets `ms` pass; timers ring in order, each with everything that follows from it done before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.#somebodyWaits()
    for (;;) {
      const [next] = [...this.#alarms].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      this.#alarms.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.ring()
      await settled()
    }
    this.#now = end
    await settled()
  }

  /** Work of other threads (hashing, reading bodies) may stand before the first timer is set. */
  async #somebodyWaits(): Promise<void> {
    await settled()
    for (let i = 0; i < 100 && this.#alarms.size === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
}

/** Waits until everything that can happen without time or outside help has happened. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A promise and what settles it. */
export function deferred<T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
} {
  return Promise.withResolvers<T>()
}
