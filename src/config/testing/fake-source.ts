/** A store that tests break: slow, failing, hanging, or with whatever value a test puts in it. */
import type { ConfigSource } from '../source.ts'
import type { FakeClock } from './fake-clock.ts'

export class FakeSource implements ConfigSource {
  readonly values: Map<string, string> = new Map()
  /** The keys asked for, in order. */
  readonly reads: string[] = []
  delayMs = 0
  failure: Error | undefined
  readonly #clock: FakeClock
  #hanging = false

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  async get(key: string): Promise<string | null> {
    this.reads.push(key)
    if (this.#hanging) return new Promise(() => undefined)
    if (this.delayMs > 0) await this.#clock.sleep(this.delayMs)
    if (this.failure !== undefined) throw this.failure
    return this.values.get(key) ?? null
  }

  /** Reads begun from now on never end. */
  hang(): void {
    this.#hanging = true
  }

  answerAgain(): void {
    this.#hanging = false
  }
}
