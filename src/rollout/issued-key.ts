/**
 * A sticky key that Postern gives out itself, in a cookie: random, so that it says nothing of who has
 * it, and signed, so that nobody can try keys until one falls on the side he wants.
 */
import { Mac } from './mac.ts'
import { VerifiedTexts } from './verified-texts.ts'

/** Browsers keep cookies 400 days at the most; a rollout is over long before. */
const MAX_AGE_SECONDS = 30 * 24 * 60 * 60

export class IssuedKeys {
  readonly #texts: VerifiedTexts

  /** @param secret - the same on all nodes. @throws RangeError when it is too short */
  constructor(secret: string) {
    this.#texts = new VerifiedTexts(new Mac(secret, 'postern sticky key'))
  }

  /** A key that nobody has. */
  newKey(): string {
    return crypto.randomUUID()
  }

  /** @returns the cookie's value that carries a key */
  sign(key: string): Promise<string> {
    return this.#texts.sign(key)
  }

  /**
   * @returns the key of a cookie's value; undefined when it is none of ours: then a new one is given out.
   *   At once for a value that was seen lately
   */
  read(value: string): string | undefined | Promise<string | undefined> {
    return this.#texts.open(value)
  }
}

/**
 * The `set-cookie` line. Not readable to scripts, and not sent along from other sites' forms and frames.
 * @param secure - whether the request came over https
 */
export function issuedCookie(name: string, value: string, secure: boolean): string {
  const line = `${name}=${value}; Path=/; Max-Age=${MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax`
  return secure ? `${line}; Secure` : line
}
