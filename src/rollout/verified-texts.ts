/**
 * Signed texts that were verified lately: a client that comes again is recognised without waiting. Only
 * what was right is kept, so nobody can push out the texts of others with what he has made up.
 */
import type { Mac } from './mac.ts'

const KEPT = 2_000
/** Longer than any that is ever signed; what is longer is not looked at. */
const MAX_LENGTH = 600

export class VerifiedTexts {
  readonly #mac: Mac
  readonly #known = new Map<string, string>()

  /** @param mac - that signs, and says what is right */
  constructor(mac: Mac) {
    this.#mac = mac
  }

  /** How many are kept now. */
  get size(): number {
    return this.#known.size
  }

  async sign(text: string): Promise<string> {
    const signed = await this.#mac.sign(text)
    this.#keep(signed, text)
    return signed
  }

  /**
   * @returns the text that was signed, undefined when it was not signed so; at once where it is known.
   *   A promise belongs to the request in which it was asked for
   */
  open(signed: string): string | undefined | Promise<string | undefined> {
    if (signed.length > MAX_LENGTH) return undefined
    return this.#known.get(signed) ?? this.#open(signed)
  }

  async #open(signed: string): Promise<string | undefined> {
    const text = await this.#mac.open(signed)
    if (text !== undefined) this.#keep(signed, text)
    return text
  }

  #keep(signed: string, text: string): void {
    if (this.#known.size >= KEPT) {
      const [oldest = ''] = this.#known.keys()
      this.#known.delete(oldest)
    }
    this.#known.set(signed, text)
  }
}
