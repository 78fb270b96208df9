/**
 * Who asks, as far as rollouts care: which sides it previews, and the keys it was given. What is in
 * here is verified already, so that a request is routed without waiting.
 */
import type { GoodPreview } from './preview-token.ts'
import type { IssuedKeys } from './issued-key.ts'
import type { Side } from './pick.ts'

export class Visitor {
  /** Whether it sent preview tokens, good ones or not. */
  readonly sentTokens: boolean
  /** Those that are good, one for a rollout. */
  readonly previews: readonly GoodPreview[]
  readonly #issued: IssuedKeys
  readonly #keys: ReadonlyMap<string, string>
  #given: Map<string, string> | undefined

  /** @param keys - by the name of their cookie, those that were given out before */
  constructor(
    issued: IssuedKeys,
    sentTokens: boolean,
    previews: readonly GoodPreview[],
    keys: ReadonlyMap<string, string>,
  ) {
    this.#issued = issued
    this.sentTokens = sentTokens
    this.previews = previews
    this.#keys = keys
  }

  /** Whether any of its tokens is good: then nothing it does tells how a rollout goes. */
  get isPreview(): boolean {
    return this.previews.length > 0
  }

  /** Keys given out in this request, by the name of their cookie; undefined where none was. */
  get given(): ReadonlyMap<string, string> | undefined {
    return this.#given
  }

  /** @returns the side it previews; undefined where it previews none of that rollout */
  sideOf(rollout: string): Side | undefined {
    return this.previews.find((one) => one.rollout === rollout)?.side
  }

  /** @returns its key in the cookie of that name; undefined where it has none */
  knownKeyIn(cookie: string): string | undefined {
    return this.#keys.get(cookie) ?? this.#given?.get(cookie)
  }

  /** @returns its key in the cookie of that name, or a new one, which its answer is to carry */
  keyIn(cookie: string): string {
    const known = this.knownKeyIn(cookie)
    if (known !== undefined) return known
    const key = this.#issued.newKey()
    ;(this.#given ??= new Map()).set(cookie, key)
    return key
  }
}
