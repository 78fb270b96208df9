/**
 * Whether a pointer may be taken, where a gateway trusts keys: signed, not expired, and not older than
 * what was accepted before, here or in an isolate that is no more. Whoever remembers that for all
 * isolates is asked beside what else is read. A request that waits for its first configuration does not
 * wait for that answer: when it comes too late, what was taken is looked at again.
 */
import type { ActivePointer } from './active-pointer.ts'
import type { ConfigClock } from './clock.ts'
import type { TrustedKeys } from './signing/public-key.ts'
import type { PointerRefusal } from './signing/verify-pointer.ts'
import { verifyPointer, verifySignature } from './signing/verify-pointer.ts'
import { withDeadline } from './with-deadline.ts'

/** What is known of a pointer where accepted ones are remembered. */
export interface Admission {
  /** Why it may not be taken; undefined when it may. */
  readonly refusal?: PointerRefusal | undefined
  /** What was published last, when the pointer may not be taken. */
  readonly current?: ActivePointer | undefined
}

export interface PointerTrust {
  readonly keys: TrustedKeys
  /** Asks, and has it remembered when it may be taken. Absent: every isolate for itself. */
  readonly admit?: ((pointer: ActivePointer) => Promise<Admission>) | undefined
}

export interface Checked extends Admission {
  /** What is still to come. Never rejects; undefined from it: nobody could be asked. */
  readonly later?: Promise<Admission | undefined> | undefined
}

const ASK_DEADLINE_MS = 3_000

export class PointerGate {
  readonly #trust: PointerTrust | undefined
  readonly #clock: ConfigClock

  constructor(trust: PointerTrust | undefined, clock: ConfigClock) {
    this.#trust = trust
    this.#clock = clock
  }

  /**
   * @param waits whether requests wait: then the answer of who remembers is not awaited
   * @returns why it may not be taken, or what is still to come
   */
  async check(pointer: ActivePointer, waits: boolean): Promise<Checked> {
    const trust = this.#trust
    if (trust === undefined) return {}
    const forged = await verifySignature(pointer, trust.keys)
    if (forged !== undefined) return { refusal: forged }
    const asked = this.#ask(trust, pointer)
    const expired = await verifyPointer(pointer, trust.keys, this.#clock.now())
    if (expired === undefined && waits) return { later: asked }
    const answer = await asked
    // what was accepted once may be taken again after it has expired
    return answer ?? { refusal: expired }
  }

  /** For a pointer that was accepted before: its signature alone counts. */
  async accepted(pointer: ActivePointer): Promise<PointerRefusal | undefined> {
    return this.#trust && verifySignature(pointer, this.#trust.keys)
  }

  async #ask(trust: PointerTrust, pointer: ActivePointer): Promise<Admission | undefined> {
    try {
      if (trust.admit === undefined) return undefined
      return await withDeadline(trust.admit(pointer), ASK_DEADLINE_MS, this.#clock, 'the mark')
    } catch {
      return undefined
    }
  }
}
