/**
 * A preview token forces one side of one rollout for whoever sends it: a browser or a till, at any
 * weight, 0 included. It is short-lived and says nothing but the side: it opens no plugin and no route
 * that the request would not have had.
 */
import { Mac } from './mac.ts'
import type { Side } from './pick.ts'

/** The longest that a token may be good for. */
export const MAX_PREVIEW_MS: number = 24 * 60 * 60 * 1000

export interface Preview {
  /** `<namespace>.<name>`. */
  readonly rollout: string
  readonly side: Side
}

export class PreviewTokens {
  readonly #mac: Mac

  /** @param secret - the same on all nodes. @throws RangeError when it is too short */
  constructor(secret: string) {
    this.#mac = new Mac(secret, 'postern preview')
  }

  /**
   * @param now - milliseconds since the Unix epoch
   * @param lifetimeMs - at most `MAX_PREVIEW_MS`
   * @throws RangeError when the lifetime is not one
   */
  issue({ rollout, side }: Preview, now: number, lifetimeMs: number): Promise<string> {
    if (!(lifetimeMs > 0 && lifetimeMs <= MAX_PREVIEW_MS)) {
      throw new RangeError('expected a lifetime above 0 and of 24 hours at most')
    }
    const expires = Math.ceil((now + lifetimeMs) / 1000)
    return this.#mac.sign(`${expires.toString(36)}.${side}.${rollout}`)
  }

  /** @returns undefined for a token that is not ours, or no longer good */
  async read(token: string, now: number): Promise<Preview | undefined> {
    const text = await this.#mac.open(token)
    const [, expires = '', side, rollout] =
      /^(\w+)\.(stable|candidate)\.(.+)$/.exec(text ?? '') ?? []
    if (rollout === undefined || Number.parseInt(expires, 36) * 1000 <= now) return undefined
    return { rollout, side: side as Side }
  }
}
