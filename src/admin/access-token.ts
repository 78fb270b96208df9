/**
 * Cloudflare Access in front of the admin API: who it has let through, proven by the token that it puts
 * into `cf-access-jwt-assertion`. The header alone proves nothing; the signature of the team does.
 * @see https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/application-token/
 */
import { type CompactVerifyGetKey, compactVerify } from 'jose/jws/compact/verify'
import { AccessKeys, KeysUnavailable } from './access-keys.ts'
import { issuerOf } from './access-team.ts'
import type { AccessResult } from './auth.ts'
import type { Caller } from './caller.ts'

export interface AccessOptions {
  /** The team: its name, or the address it has at Cloudflare. */
  readonly team: string
  /** The audience tag of the application that stands before the admin API. */
  readonly audience: string
  /** Who may write; see `ACCESS_WRITERS` in docs/OPERATIONS.md. Everybody else whom Access lets through reads. */
  readonly writers: readonly string[]
  readonly fetch?: typeof fetch
  readonly now?: () => number
}

type Claims = Readonly<Record<string, unknown>>

/** Clocks differ a little. */
const TOLERANCE_SECONDS = 5

export class AccessToken {
  readonly #issuer: string
  readonly #audience: string
  readonly #writers: ReadonlySet<string>
  readonly #keys: AccessKeys
  readonly #now: () => number

  /** @throws for a team that is neither a name nor an https:// address */
  constructor(options: AccessOptions) {
    this.#now = options.now ?? (() => Date.now())
    this.#issuer = issuerOf(options.team)
    this.#audience = options.audience
    this.#writers = new Set(options.writers.map((writer) => writer.toLowerCase()))
    const fetcher: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init))
    this.#keys = new AccessKeys(`${this.#issuer}/cdn-cgi/access/certs`, fetcher, this.#now)
  }

  /** @param token - the value of `cf-access-jwt-assertion` */
  async check(token: string): Promise<AccessResult> {
    try {
      // what Access signs with; a token does not choose how it is verified
      const options = { algorithms: ['RS256'] }
      const { payload } = await compactVerify(token, this.#key, options)
      const claims = JSON.parse(new TextDecoder().decode(payload)) as Claims
      const wrong = this.#wrongClaim(claims)
      return wrong === undefined ? { caller: this.#caller(claims) } : { wrong }
    } catch (error) {
      if (error instanceof KeysUnavailable) return { unavailable: error.message }
      return { wrong: 'the Access token is not one that the team has signed' }
    }
  }

  readonly #key: CompactVerifyGetKey = ({ kid }) => this.#keys.find(kid)

  /** RFC 7519 §4.1, as far as Access writes it: who for, by whom, from and until when. */
  #wrongClaim({ iss, aud, exp, nbf }: Claims): string | undefined {
    const now = this.#now() / 1000
    const [claim] = [
      ...(iss === this.#issuer ? [] : ['iss']),
      ...([aud].flat().includes(this.#audience) ? [] : ['aud']),
      ...(typeof exp === 'number' ? [] : ['exp']),
      ...(nbf === undefined || Number(nbf) <= now + TOLERANCE_SECONDS ? [] : ['nbf']),
    ]
    if (claim !== undefined) return `the Access token is not for this application: its ${claim}`
    return Number(exp) > now - TOLERANCE_SECONDS ? undefined : 'the Access token has expired'
  }

  #caller(claims: Claims): Caller {
    const { email, common_name: service, custom, groups } = claims
    const address = textOf(email)
    const name = address ?? textOf(service) ?? ''
    // people have an address; a service token has the id of its client
    const proven =
      address === undefined
        ? [`service:${name}`]
        : [address, `@${address.split('@').at(-1)}`, ...groupsOf(custom, groups)]
    const writes = name !== '' && proven.some((one) => this.#writers.has(one.toLowerCase()))
    return { role: writes ? 'write' : 'read', name }
  }
}

/** Groups are in it when the application was told to take them over from the identity provider. */
function groupsOf(custom: unknown, own: unknown): string[] {
  const given = (custom as { readonly groups?: unknown } | null | undefined)?.groups ?? own
  return [given].flat().flatMap((group) => (typeof group === 'string' ? `group:${group}` : []))
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' ? claim : undefined
}
