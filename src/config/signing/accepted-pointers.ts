/**
 * The high-water mark: which signed pointers were accepted, and how far back a store may still show
 * older ones. A correctly signed pointer of last month is no news but somebody who turns the clock
 * back, so what is older than the mark is refused. KV shows writes late, so a revision raises the mark
 * only after `SETTLED_MS`. What was accepted once may be started again after it has expired: an
 * expired signature stops no gateway.
 */
import type { ActivePointer } from '../active-pointer.ts'
import type { TrustedKeys } from './public-key.ts'
import { verifyPointer, verifySignature } from './verify-pointer.ts'
import type { PointerRefusal } from './verify-pointer.ts'

/** A pointer that was accepted. */
export interface Accepted {
  readonly revision: number
  readonly snapshot: string
  /** Milliseconds since the Unix epoch. */
  readonly at: number
}

export interface AcceptedPointersParts {
  readonly trusted: TrustedKeys | undefined
  /** Durable: ascending revisions, the first of which is the mark or on its way to be. */
  readonly state: {
    load(): Promise<readonly Accepted[] | undefined>
    save(accepted: readonly Accepted[]): Promise<void>
  }
  now(): number
}

/** How long after a revision was accepted its predecessors may still be shown by the store. */
export const SETTLED_MS: number = 5 * 60_000

export class AcceptedPointers {
  readonly #parts: AcceptedPointersParts
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: AcceptedPointersParts) {
    this.#parts = parts
  }

  /**
   * Whether a gateway may take this pointer; when it may, it is remembered. One is looked at after the
   * other, so that none is forgotten for another.
   * @returns undefined when it may, else why not
   */
  admit(pointer: ActivePointer): Promise<PointerRefusal | undefined> {
    const turn = this.#last.then(() => this.#admit(pointer))
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #admit(pointer: ActivePointer): Promise<PointerRefusal | undefined> {
    const { trusted, state } = this.#parts
    if (trusted === undefined) return undefined
    const now = this.#parts.now()
    const before = (await state.load()) ?? []
    const { revision, snapshot } = pointer
    const known = before.some((one) => one.revision === revision && one.snapshot === snapshot)
    const refusal = known
      ? await verifySignature(pointer, trusted)
      : await verifyPointer(pointer, trusted, now)
    if (refusal !== undefined) return refusal
    const mark = before.findLast(({ at }) => now - at >= SETTLED_MS)?.revision ?? 0
    if (revision < mark) {
      const message = `revision ${revision} is older than ${mark}, which was accepted before`
      return { code: 'config.revision_older', message }
    }
    if (known) return undefined
    if (before.some((one) => one.revision === revision)) {
      const message = `another snapshot was accepted as revision ${revision} before`
      return { code: 'config.revision_reused', message }
    }
    const settled = before.filter((one) => one.revision >= mark)
    const accepted = [...settled, { revision, snapshot, at: now }]
    await state.save(accepted.sort((a, b) => a.revision - b.revision))
    return undefined
  }
}
