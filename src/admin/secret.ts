/**
 * A secret of the gateway's own: the text itself, or `sha256:` and the digest of it, so that whoever
 * reads the configuration does not have the secret. Only digests are compared.
 */
const HASHED = /^sha256:([\da-f]{64})$/i

export class Secret {
  readonly #plain: string | undefined
  readonly #digest: string | undefined

  private constructor(plain: string | undefined, digest: string | undefined) {
    this.#plain = plain
    this.#digest = digest
  }

  /**
   * @param text - as it is configured; undefined or empty when it is not
   * @returns undefined when there is none
   * @throws for `sha256:` without 64 hex digits, which nobody could ever match
   */
  static parse(text: string | undefined): Secret | undefined {
    if (text === undefined || text === '') return undefined
    if (!text.startsWith('sha256:')) return new Secret(text, undefined)
    const digest = HASHED.exec(text)?.[1]
    if (digest === undefined) throw new Error('expected 64 hex digits behind sha256:')
    return new Secret(undefined, digest.toLowerCase())
  }

  /** Compares without telling how much was right: neither content nor length shows in the time it takes. */
  async matches(given: string): Promise<boolean> {
    const plain = this.#plain
    const [left, right] = await Promise.all([
      digestOf(given),
      plain === undefined ? (this.#digest as string) : digestOf(plain),
    ])
    let difference = 0
    for (let i = 0; i < right.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i)
    return difference === 0
  }
}

async function digestOf(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
