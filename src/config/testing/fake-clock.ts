/** A clock that tests turn by hand. Sleepers wake when it passes their time. */
import type { ConfigClock } from '../clock.ts'

export class FakeClock implements ConfigClock {
  #now: number
  #sleepers: { readonly at: number; readonly wake: () => void }[] = []

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => {
      this.#sleepers.push({ at: this.#now + ms, wake })
    })
  }

  /** Turns the clock forward and wakes whoever is due. */
  advance(ms: number): void {
    this.#now += ms
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#now)
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#now)
    for (const sleeper of due) sleeper.wake()
  }

  /**
   * Lets time pass, 5 ms a step, until a promise comes to rest; whatever is due at a step runs first.
   * @throws when the promise has not come to rest after `limitMs` of this clock
   */
  async until<T>(promise: Promise<T>, limitMs: number): Promise<T> {
    let done = false
    const watched = promise.finally(() => {
      done = true
    })
    for (let passed = 0; passed <= limitMs; passed += 5) {
      await settle()
      if (done) return watched
      this.advance(5)
    }
    throw new Error(`nothing came of it within ${limitMs} ms`)
  }
}

/** Lets promises come to rest, and digests, which run beside the loop: ours ends after theirs. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await crypto.subtle.digest('SHA-256', new Uint8Array(1))
  }
}
