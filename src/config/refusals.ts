/**
 * What a gateway refused to run and why: a short list, newest first, for `/-/status`. The same
 * refusal again moves to the front with a new time, so that a fault that lasts does not push the
 * others out.
 */
import type { ConfigClock } from './clock.ts'

export interface Refusal {
  readonly code: string
  readonly message: string
  /** ISO 8601: when it was last seen. */
  readonly at: string
  /** The revision that was refused; 0 where there was none to read. */
  readonly revision: number
  /** The plugin, where it is about one. */
  readonly plugin?: string
}

/** More than a bad release of many plugins needs; a batch of reports carries them all. */
const KEPT = 256

export class Refusals {
  readonly #clock: ConfigClock
  readonly #heard: ((refusal: Refusal) => void) | undefined
  #list: readonly Refusal[] = []

  /** @param heard called with each, also when it is one that is there already */
  constructor(clock: ConfigClock, heard?: (refusal: Refusal) => void) {
    this.#clock = clock
    this.#heard = heard
  }

  add(refusal: Omit<Refusal, 'at'>): void {
    const now = { ...refusal, at: new Date(this.#clock.now()).toISOString() }
    const others = this.#list.filter(
      (other) =>
        other.code !== now.code || other.revision !== now.revision || other.plugin !== now.plugin,
    )
    this.#list = [now, ...others].slice(0, KEPT)
    this.#heard?.(now)
  }

  list(): readonly Refusal[] {
    return this.#list
  }
}
