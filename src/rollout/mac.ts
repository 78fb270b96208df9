/**
 * Short texts that only who has the secret can have written: HMAC-SHA-256, cut to 128 bits, which
 * RFC 2104 (section 5) allows. What a text is for is part of what is signed, so that one that was made
 * for one purpose is worth nothing for another.
 */

const BYTES = 16
const LEAST = 16

/** Whether it is long enough that nobody tries them all. */
export function isSecret(text: string): boolean {
  return text.length >= LEAST
}

export class Mac {
  readonly #purpose: string
  readonly #secret: string
  /** The key itself, not its promise: on Workers no request may wait for another's. */
  #key: CryptoKey | undefined

  /**
   * @param secret - at least 16 characters
   * @param purpose - what its texts are for
   * @throws RangeError when the secret is too short to be one
   */
  constructor(secret: string, purpose: string) {
    if (!isSecret(secret)) throw new RangeError('expected a secret of 16 characters or more')
    this.#secret = secret
    this.#purpose = purpose
  }

  /** @returns the text with its signature behind a dot, in characters that a cookie may have if the text is */
  async sign(text: string): Promise<string> {
    const whole = await crypto.subtle.sign('HMAC', await this.#imported(), this.#bytes(text))
    const cut = String.fromCharCode(...new Uint8Array(whole, 0, BYTES))
    return `${text}.${btoa(cut).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')}`
  }

  /** @returns the text that was signed; undefined when it was not signed with this secret for this purpose */
  async open(signed: string): Promise<string | undefined> {
    const text = signed.slice(0, Math.max(signed.lastIndexOf('.'), 0))
    const wanted = await this.sign(text)
    return sameText(signed, wanted) ? text : undefined
  }

  async #imported(): Promise<CryptoKey> {
    if (this.#key !== undefined) return this.#key
    const bytes = new TextEncoder().encode(this.#secret)
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    this.#key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign'])
    return this.#key
  }

  #bytes(text: string): Uint8Array<ArrayBuffer> {
    return new Uint8Array(new TextEncoder().encode(`${this.#purpose}\n${text}`))
  }
}

/** Compares in a time that does not tell how much of it is right. */
function sameText(one: string, other: string): boolean {
  let difference = one.length ^ other.length
  for (let at = 0; at < other.length; at += 1) {
    difference |= one.charCodeAt(at) ^ other.charCodeAt(at)
  }
  return difference === 0
}
