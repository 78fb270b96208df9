/**
 * The keys with which Cloudflare Access signs for one team, read from the team's own address and kept.
 * Values are kept, never a promise: on Workers a request must not wait for what another one began.
 * @see https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */
import type { JWK } from 'jose'
import * as v from 'valibot'

/** Access changes its key every six weeks and goes on signing with no other; both stand there for a week. */
const REFRESH_MS = 10 * 60_000
/** Between two reads for the sake of a key nobody has heard of, and after a read that failed. */
const PAUSE_MS = 30_000
const RETRY_MS = 2_000
const DEADLINE_MS = 5_000

/** The keys cannot be had now. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
}

const setSchema = v.object({ keys: v.array(v.looseObject({ kid: v.string(), kty: v.string() })) })

export class AccessKeys {
  readonly #url: string
  readonly #fetch: typeof fetch
  readonly #now: () => number
  #keys: ReadonlyMap<string, JWK> = new Map()
  #readAt = Number.NEGATIVE_INFINITY
  #nextReadAt = 0

  /** @param url - of a JSON Web Key Set */
  constructor(url: string, fetcher: typeof fetch, now: () => number) {
    this.#url = url
    this.#fetch = fetcher
    this.#now = now
  }

  /**
   * @returns the key of that id
   * @throws KeysUnavailable when it is not known and the keys cannot be read; else when the team has none such
   */
  async find(kid = ''): Promise<JWK> {
    const now = this.#now()
    const old = now - this.#readAt >= REFRESH_MS
    const known = this.#keys.get(kid)
    if (!old && known !== undefined) return known
    let failure: unknown = new Error('they could not be read a moment ago')
    let fresh = !old
    if (now >= this.#nextReadAt) {
      try {
        await this.#read()
        fresh = true
      } catch (error) {
        // what was read before goes on: a key does not become wrong because a line is down
        this.#nextReadAt = now + RETRY_MS
        failure = error
      }
    }
    const key = this.#keys.get(kid)
    if (key !== undefined) return key
    if (fresh) throw new Error('no such key')
    const why = failure instanceof Error ? failure.message : String(failure)
    throw new KeysUnavailable(`the signing keys at ${this.#url} cannot be read: ${why}`)
  }

  async #read(): Promise<void> {
    const response = await this.#fetch(this.#url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    if (response.status !== 200) throw new Error(`they were answered with ${response.status}`)
    const { keys } = v.parse(setSchema, await response.json())
    this.#keys = new Map(keys.map((key) => [key.kid, key as JWK]))
    this.#readAt = this.#now()
    this.#nextReadAt = this.#readAt + PAUSE_MS
  }
}
