/**
 * A preview token forces one side of one rollout for whoever sends it: a browser or a till, at any
 * weight, 0 included. It is short-lived and says nothing but the side: it opens no plugin and no route
 * that the request would not have had.
 */
import { Mac } from './mac.ts'
import type { Side } from './pick.ts'
import { VerifiedTexts } from './verified-texts.ts'

/** The longest that a token may be good for. */
export const MAX_PREVIEW_MS: number = 24 * 60 * 60 * 1000

export interface Preview {
  /** `<namespace>.<name>`. */
  readonly rollout: string
  readonly side: Side
}

/** What a token that is good says. */
export interface GoodPreview extends Preview {
  /** When it is over; milliseconds since the Unix epoch. */
  readonly until: number
}

export class PreviewTokens {
  readonly #texts: VerifiedTexts

  /** @param secret - the same on all nodes. @throws RangeError when it is too short */
  constructor(secret: string) {
    this.#texts = new VerifiedTexts(new Mac(secret, 'postern preview'))
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
    return this.#texts.sign(`${expires.toString(36)}.${side}.${rollout}`)
  }

  /** @returns undefined for a token that is not ours, or no longer good; at once for one that was seen lately */
  read(token: string, now: number): GoodPreview | undefined | Promise<GoodPreview | undefined> {
    const text = this.#texts.open(token)
    return text instanceof Promise ? text.then((one) => previewOf(one, now)) : previewOf(text, now)
  }
}

function previewOf(text: string | undefined, now: number): GoodPreview | undefined {
  const [, expires = '', side, rollout] = /^(\w+)\.(stable|candidate)\.(.+)$/.exec(text ?? '') ?? []
  const until = Number.parseInt(expires, 36) * 1000
  if (rollout === undefined || until <= now) return undefined
  return { rollout, side: side as Side, until }
}
