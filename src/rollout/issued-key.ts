/**
 * A sticky key that Postern gives out itself, in a cookie: random, so that it says nothing of who has
 * it, and signed, so that nobody can try keys until one falls on the side he wants.
 */
import { Mac } from './mac.ts'

/** Browsers keep cookies 400 days at the most; a rollout is over long before. */
const MAX_AGE_SECONDS = 30 * 24 * 60 * 60

export class IssuedKeys {
  readonly #mac: Mac

  /** @param secret - the same on all nodes. @throws RangeError when it is too short */
  constructor(secret: string) {
    this.#mac = new Mac(secret, 'postern sticky key')
  }

  /** A new key and the cookie value that carries it. */
  async issue(): Promise<{ readonly key: string; readonly value: string }> {
    const key = crypto.randomUUID()
    return { key, value: await this.#mac.sign(key) }
  }

  /** @returns the key of a cookie's value; undefined when it is none of ours: then a new one is given out */
  read(value: string): Promise<string | undefined> {
    return this.#mac.open(value)
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
