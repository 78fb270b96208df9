/**
 * Recognises who asks before a request is routed: verifies preview tokens and the keys that Postern gave
 * out, and gives out new ones. Whatever is not right counts as if it had not been sent.
 */
import { IssuedKeys, issuedCookie } from './issued-key.ts'
import { PREVIEW_HEADER, previewTokensOf } from './preview-carriers.ts'
import { type GoodPreview, PreviewTokens } from './preview-token.ts'
import { cookieOf } from './sticky-key.ts'
import { Visitor } from './visitor.ts'

type Maybe<T> = T | undefined | Promise<T | undefined>

export class Recognition {
  readonly tokens: PreviewTokens
  readonly #keys: IssuedKeys

  /** @param secret - the same on all nodes. @throws RangeError when it is too short */
  constructor(secret: string) {
    this.tokens = new PreviewTokens(secret)
    this.#keys = new IssuedKeys(secret)
  }

  /**
   * @param headers - of the request
   * @param cookies - in which running rollouts have their keys
   * @param now - milliseconds since the Unix epoch
   * @returns undefined for one that sent no token where no key is given out; a promise where
   *   something is seen for the first time
   */
  visitor(headers: Headers, cookies: readonly string[], now: number): Maybe<Visitor> {
    const header = headers.get(PREVIEW_HEADER)
    const line = headers.get('cookie')
    const tokens = previewTokensOf({ header, cookies: line })
    const sentTokens = header !== null || tokens.length > 0
    if (!sentTokens && cookies.length === 0) return undefined
    const previews = tokens.map((token) => this.tokens.read(token, now))
    const keys = cookies.map((name): Maybe<string> => {
      const value = cookieOf(line, name)
      return value === undefined ? undefined : this.#keys.read(value)
    })
    const made = (
      good: readonly (GoodPreview | undefined)[],
      known: readonly (string | undefined)[],
    ): Visitor => new Visitor(this.#keys, sentTokens, found(good), byName(cookies, known))
    return isSettled(previews) && isSettled(keys)
      ? made(previews, keys)
      : Promise.all([Promise.all(previews), Promise.all(keys)]).then(([good, known]) =>
          made(good, known),
        )
  }

  /** The `set-cookie` lines of the keys that were given out. @param secure - the request came over https */
  cookiesOf(given: ReadonlyMap<string, string>, secure: boolean): Promise<readonly string[]> {
    return Promise.all(
      [...given].map(async ([name, key]) => issuedCookie(name, await this.#keys.sign(key), secure)),
    )
  }
}

function isSettled<T>(values: readonly Maybe<T>[]): values is readonly (T | undefined)[] {
  return !values.some((value) => value instanceof Promise)
}

function found<T>(values: readonly (T | undefined)[]): readonly T[] {
  return values.filter((value) => value !== undefined)
}

function byName(
  names: readonly string[],
  keys: readonly (string | undefined)[],
): ReadonlyMap<string, string> {
  const known = new Map<string, string>()
  for (const [index, key] of keys.entries())
    if (key !== undefined) known.set(names[index] ?? '', key)
  return known
}
