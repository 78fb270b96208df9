/**
 * How many streams may pass a failing plugin by: counted in minutes, each of which begins with the first
 * stream behind the one before. The share is of what has come so far, so at no time in a minute have more
 * been let by than the budget says of the streams that had come by then.
 */
import type { FailOpenBudget } from './plugin-spec.ts'

const MINUTE_MS = 60_000

export class FailOpenMinute {
  #began = 0
  #came = 0
  #passed = 0

  /** Streams that came to the plugin in this minute. */
  get came(): number {
    return this.#came
  }

  /** Those of them that were let by. */
  get passed(): number {
    return this.#passed
  }

  /** A stream has come to the plugin. @param now - milliseconds of the monotonic clock */
  come(now: number): void {
    if (this.#came === 0 || now - this.#began >= MINUTE_MS) {
      this.#began = now
      this.#came = 0
      this.#passed = 0
    }
    this.#came++
  }

  /** Takes one stream out of the budget. @returns whether there was room */
  take({ percent, minimum }: FailOpenBudget): boolean {
    if (this.#passed >= Math.max(minimum, Math.floor((percent * this.#came) / 100))) return false
    this.#passed++
    return true
  }
}
