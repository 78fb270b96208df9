/**
 * Keeps guests from being entered while a guest runs. Guest calls are synchronous and JavaScript is
 * one thread, so one counter orders all vms: work that a host call gives rise to (a resume, a local
 * reply, a queue that is ready) waits here until the outermost guest call has returned.
 *
 * The Rust SDK holds `RefCell` borrows during a callback: nested entry is a panic there.
 */
export class Strand {
  #depth = 0
  #draining = false
  readonly #queue: (() => void)[] = []

  /** Whether a guest is running now. */
  get busy(): boolean {
    return this.#depth > 0
  }

  /** Before a call into a guest from outside of guests (an allocation is inside of one). */
  enter(): void {
    this.#depth++
  }

  /** After a call into a guest, trapped or not. Runs what has waited when it was the outermost. */
  leave(): void {
    this.#depth--
    if (this.#depth === 0 && this.#queue.length > 0) this.#drain()
  }

  /** Runs `work` now if no guest is running, else when the outermost call has returned, in order. */
  post(work: () => void): void {
    this.#queue.push(work)
    if (this.#depth === 0) this.#drain()
  }

  #drain(): void {
    // work may enter guests, whose leaving comes back here: the first drain does it all, in order
    if (this.#draining) return
    this.#draining = true
    try {
      for (let work = this.#queue.shift(); work !== undefined; work = this.#queue.shift()) work()
    } finally {
      this.#draining = false
    }
  }
}
