/** A team of Cloudflare Access as the gateway sees it: keys of its own, and a server that shows the public halves. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'

export const AUDIENCE = '4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2'

interface Key {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** What differs from a token as it should be. */
export interface TokenOptions {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly issuer?: string
  readonly audience?: string
  /** Seconds from now; null: it never does. */
  readonly expiresIn?: number | null
  readonly kid?: string
  readonly algorithm?: 'RS256' | 'HS256'
  /** Signs with a key of this team's instead of its own. */
  readonly signedBy?: AccessTeam
}

export class AccessTeam {
  /** How often the keys were asked for. */
  asked = 0
  /** What the server answers instead of the keys. */
  broken: number | undefined
  readonly #keys: Key[] = []
  readonly #server = createServer((request, response) => {
    if (request.url !== '/cdn-cgi/access/certs') return response.writeHead(404).end()
    this.asked += 1
    if (this.broken !== undefined) return response.writeHead(this.broken).end()
    const keys = this.#keys.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      alg: 'RS256',
      use: 'sig',
    }))
    return response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ keys }))
  })

  static async start(): Promise<AccessTeam> {
    const team = new AccessTeam()
    team.rotate()
    await new Promise<void>((resolve) => team.#server.listen(0, '127.0.0.1', resolve))
    return team
  }

  /** The address that stands for `https://<team>.cloudflareaccess.com`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get key(): Key {
    return this.#keys.at(-1) as Key
  }

  /** A new key signs; the one before it stays in the set. */
  rotate(): void {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#keys.splice(0, this.#keys.length - 1)
    this.#keys.push({ kid: `key-${crypto.randomUUID()}`, ...pair })
  }

  /** A token as Access puts it into `cf-access-jwt-assertion`. */
  async token(options: TokenOptions = {}): Promise<string> {
    const { algorithm = 'RS256', expiresIn = 60, signedBy = this } = options
    const jwt = new SignJWT({ type: 'app', email: 'ann@acme.example', ...options.claims })
      .setProtectedHeader({ alg: algorithm, kid: options.kid ?? signedBy.key.kid, typ: 'JWT' })
      .setIssuer(options.issuer ?? this.url)
      .setAudience([options.audience ?? AUDIENCE])
      .setIssuedAt()
    if (expiresIn !== null) jwt.setExpirationTime(Math.floor(Date.now() / 1000) + expiresIn)
    // the classic confusion: the public key as the secret of a symmetric signature
    const secret = new TextEncoder().encode(
      signedBy.key.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    )
    return jwt.sign(algorithm === 'RS256' ? signedBy.key.privateKey : secret)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
