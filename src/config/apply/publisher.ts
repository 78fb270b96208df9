/**
 * What is active, and how something else becomes it. A change is decided when `state` says so. Before
 * that nothing of it is visible; after that the pointer may still be behind, and `current` brings it
 * up. Whatever instant a publication is interrupted at, the pointer names a whole snapshot.
 */
import type { ActivePointer } from '../active-pointer.ts'
import { parseActivePointer } from '../active-pointer.ts'
import { canonicalJson } from '../canonical.ts'
import type { ConfigClock } from '../clock.ts'
import { readSnapshot } from '../read-snapshot.ts'
import type { TrustedKeys } from '../signing/public-key.ts'
import { verifySignature } from '../signing/verify-pointer.ts'
import type { Snapshot } from '../snapshot.ts'
import type { ConfigSource } from '../source.ts'
import type { Promotion } from './promotions.ts'
import type { RevisionRecord } from './revision-record.ts'

/** The store, for writing. */
export interface PolicyStore extends ConfigSource {
  put(key: string, text: string): Promise<void>
  delete(key: string): Promise<void>
}

/** What the writer itself remembers, durably and at once. */
export interface WriterState {
  readonly pointer: ActivePointer
  /** Whether the store has the pointer; false between the decision and its publication. */
  readonly published: boolean
  /** The revisions whose records are kept, oldest first. */
  readonly kept: readonly number[]
  /** Which candidates became their plugins; absent: none that is remembered. */
  readonly promotions?: readonly Promotion[]
}

export interface PublisherParts {
  readonly store: PolicyStore
  readonly state: {
    load(): Promise<WriterState | undefined>
    save(state: WriterState): Promise<void>
  }
  readonly clock: ConfigClock
  /** Where set, a pointer that somebody else wrote counts only when one of these signed it. */
  readonly trusted?: TrustedKeys | undefined
}

/** What is active now. */
export interface Current {
  readonly pointer: ActivePointer | undefined
  /** Undefined also when the store has lost it. */
  readonly snapshot: Snapshot | undefined
  readonly kept: readonly number[]
  readonly promotions: readonly Promotion[]
}

export const KEPT_REVISIONS: number = 50
/** KV takes one write per second to one key. */
const PUT_PAUSE_MS = 1_100
const PUT_TRIES = 3

export class Publisher {
  readonly #parts: PublisherParts

  constructor(parts: PublisherParts) {
    this.#parts = parts
  }

  /**
   * What is active: what was decided here last, or a pointer that was moved by hand since. The higher
   * revision wins. Publishes a decision that was interrupted.
   */
  async current(): Promise<Current> {
    const { state, store } = this.#parts
    const own = await state.load()
    const stored = await this.#stored(own?.pointer)
    const { kept = [], promotions = [] } = own ?? {}
    let pointer = stored
    if (own !== undefined && own.pointer.revision >= (stored?.revision ?? 0)) {
      pointer = own.pointer
      // Something else under the same number was moved there by hand, and no gateway would take it.
      const whole = stored?.revision !== pointer.revision || stored.snapshot === pointer.snapshot
      if (!own.published || stored === undefined || !whole) await this.#point(own)
    }
    if (pointer === undefined) return { pointer, snapshot: undefined, kept, promotions }
    const text = await store.get(`snapshot.${pointer.snapshot}`)
    const read = await readSnapshot(text, pointer.snapshot)
    return { pointer, snapshot: 'found' in read ? read.found : undefined, kept, promotions }
  }

  /**
   * Makes a pointer the active one.
   * @param record of its revision
   * @param entries what the pointer needs in the store; values never change
   * @param promotions what is to be remembered with it
   */
  async publish(
    current: Current,
    pointer: ActivePointer,
    record: RevisionRecord,
    entries: readonly (readonly [key: string, text: string])[],
    promotions: readonly Promotion[],
  ): Promise<void> {
    const { store, state } = this.#parts
    // The order matters: what a pointer names is in the store before the pointer is.
    for (const [key, text] of entries) await store.put(key, text)
    const { revision } = pointer
    await store.put(`revision.${revision}`, canonicalJson(record))
    const kept = [...current.kept.filter((one) => one < revision), revision]
    const decided: WriterState = {
      pointer,
      published: false,
      kept,
      ...(promotions.length > 0 && { promotions }),
    }
    await state.save(decided)
    await this.#point(decided)
  }

  /**
   * The pointer in the store, unless it is none, or signed by nobody who may.
   * @param own what was decided here: it counts whoever signed it, also when keys have changed since
   */
  async #stored(own: ActivePointer | undefined): Promise<ActivePointer | undefined> {
    const { store, trusted } = this.#parts
    const text = await store.get('active')
    const parsed = text === null ? undefined : parseActivePointer(text)
    if (parsed === undefined || 'wrong' in parsed) return undefined
    const { pointer } = parsed
    if (trusted === undefined || canonicalJson(pointer) === canonicalJson(own)) return pointer
    return (await verifySignature(pointer, trusted)) === undefined ? pointer : undefined
  }

  /** Writes the pointer, then forgets revisions that are too old. */
  async #point(decided: WriterState): Promise<void> {
    const { store, state } = this.#parts
    await this.#putPatiently('active', canonicalJson(decided.pointer))
    const drop = decided.kept.slice(0, -KEPT_REVISIONS)
    for (const revision of drop) await store.delete(`revision.${revision}`)
    await state.save({ ...decided, published: true, kept: decided.kept.slice(-KEPT_REVISIONS) })
  }

  async #putPatiently(key: string, text: string): Promise<void> {
    const { store, clock } = this.#parts
    for (let tries = 1; ; tries += 1) {
      try {
        return await store.put(key, text)
      } catch (error) {
        if (tries === PUT_TRIES) throw error
        await clock.sleep(PUT_PAUSE_MS)
      }
    }
  }
}
