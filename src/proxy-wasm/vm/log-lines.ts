/**
 * How many lines the plugins of a vm may log: so many each in a second, their own and the host's warnings
 * about them. What is over is counted, and one line says how many when a line comes again that may be
 * logged, or when the vm ends.
 */
import type { Clock } from '../ports.ts'
import type { PluginCounts } from './plugin-counts.ts'

const SECOND_NS = 1_000_000_000n

interface Allowance {
  /** When it was last filled up. */
  since: bigint
  left: number
  dropped: number
}

export class LogLines {
  readonly #perSecond: number
  readonly #clock: Clock
  readonly #countsOf: (plugin: string) => PluginCounts
  readonly #say: (plugin: string, message: string) => void
  readonly #plugins = new Map<string, Allowance>()

  /** @param say - logs a line that no limit drops */
  constructor(
    perSecond: number,
    clock: Clock,
    countsOf: (plugin: string) => PluginCounts,
    say: (plugin: string, message: string) => void,
  ) {
    this.#perSecond = perSecond
    this.#clock = clock
    this.#countsOf = countsOf
    this.#say = say
  }

  /** Takes one line from a plugin's allowance. @returns whether it may be logged */
  take(plugin: string): boolean {
    const allowance = this.#allowanceOf(plugin)
    // the clock is asked only when the allowance is used up
    if (allowance.left === 0) this.#fill(plugin, allowance)
    if (allowance.left === 0) {
      allowance.dropped++
      this.#countsOf(plugin).droppedLogLines++
      return false
    }
    allowance.left--
    return true
  }

  /** The vm ends: says what was dropped since the last time. */
  end(): void {
    for (const [plugin, allowance] of this.#plugins) this.#report(plugin, allowance)
  }

  #allowanceOf(plugin: string): Allowance {
    let allowance = this.#plugins.get(plugin)
    if (allowance === undefined) {
      allowance = { since: this.#clock.monotonic(), left: this.#perSecond, dropped: 0 }
      this.#plugins.set(plugin, allowance)
    }
    return allowance
  }

  #fill(plugin: string, allowance: Allowance): void {
    const now = this.#clock.monotonic()
    if (now - allowance.since < SECOND_NS) return
    allowance.since = now
    allowance.left = this.#perSecond
    this.#report(plugin, allowance)
  }

  #report(plugin: string, allowance: Allowance): void {
    const { dropped } = allowance
    if (dropped === 0) return
    allowance.dropped = 0
    const lines = dropped === 1 ? '1 line was' : `${dropped} lines were`
    const limit = `limits.logLinesPerSecond is ${this.#perSecond}`
    this.#say(plugin, `${lines} dropped: ${limit}`)
  }
}
