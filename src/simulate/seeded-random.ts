/**
 * Numbers that look random and are the same for the same seed. Nothing of a simulation is secret, so they
 * need not be hard to guess.
 */

/** Where a sequence begins, from anything that names it. */
export function seedOf(...parts: readonly (string | number)[]): number {
  // FNV-1a, https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
  let hash = 0x811c9dc5
  for (const unit of parts.join('\0')) {
    hash = Math.imul(hash ^ (unit.codePointAt(0) as number), 0x01000193)
  }
  return hash >>> 0
}

export class SeededRandom {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** From 0 to 1, without 1. */
  next(): number {
    // mulberry32, by Tommy Ettinger
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 to `bound`, without `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  /** Whether something happens that happens so often, 0 to 1. */
  chance(share: number): boolean {
    return this.next() < share
  }

  /** One of several. @param items - at least one */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) bytes[at] = this.below(256)
  }
}
