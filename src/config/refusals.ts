/**
 * What a gateway refused to run and why: a short list, newest first, for `/-/status`. The same
 * refusal again moves to the front with a new time, so that a fault that lasts does not push the
 * others out.
 */

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

const KEPT = 64

export class Refusals {
  #list: readonly Refusal[] = []

  add(refusal: Refusal): void {
    const others = this.#list.filter(
      (other) =>
        other.code !== refusal.code ||
        other.revision !== refusal.revision ||
        other.plugin !== refusal.plugin,
    )
    this.#list = [refusal, ...others].slice(0, KEPT)
  }

  list(): readonly Refusal[] {
    return this.#list
  }
}
