/**
 * Who may use the admin API: whoever has a token of the gateway's, or whom Cloudflare Access lets
 * through. Where neither is configured the API is off, so that a gateway nobody set up answers nothing
 * but `/-/healthz`. What is not known to be harmless needs the role `write`.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { adminError } from './admin-error.ts'
import type { Caller } from './caller.ts'
import { Guesses } from './guesses.ts'
import { Secret } from './secret.ts'

/** Who it is, or why the token proves nothing: one sentence without the token. */
export type AccessResult =
  | { readonly caller: Caller }
  | { readonly wrong: string }
  | { readonly unavailable: string }

/** What checks tokens of Cloudflare Access. */
export interface AccessCheck {
  /** @param token - the value of `cf-access-jwt-assertion` */
  check(token: string): Promise<AccessResult>
}

export interface AuthOptions {
  /** The secret ADMIN_TOKEN: reads and writes. */
  readonly token: string | undefined
  /** The secret ADMIN_READ_TOKEN: reads. */
  readonly readToken?: string | undefined
  /** The secret REPORT_TOKENS, with spaces or commas between them: they send reports, and nothing else. */
  readonly reportTokens?: string | undefined
  /** Cloudflare Access, where it stands before the admin API. */
  readonly access?: AccessCheck | undefined
  /** Where a request comes from, as far as that is known. */
  readonly clientAddress?: ((request: Request) => string | undefined) | undefined
}

/** What handlers find in their context. */
export interface AdminEnv {
  Variables: { caller: Caller }
}

/** Requests that change nothing though their method would allow it. */
const HARMLESS: ReadonlySet<string> = new Set(['POST /-/explain'])

/** Lets a caller in who is known, and to what changes something only one who may write. */
export function requireCaller(options: AuthOptions): MiddlewareHandler<AdminEnv> {
  const { access, clientAddress } = options
  const writer = secretOf('ADMIN_TOKEN', options.token)
  const reader = secretOf('ADMIN_READ_TOKEN', options.readToken)
  const guesses = new Guesses()

  /** @param wrong - answers a credential that is not right, and counts it */
  async function identify(
    c: Context,
    wrong: (why: string) => Response,
  ): Promise<Caller | Response> {
    const given = bearerOf(c)
    if (given !== undefined) {
      if (await writer?.matches(given)) return { role: 'write' }
      if (await reader?.matches(given)) return { role: 'read' }
      return wrong('the token is not the right one')
    }
    const assertion = c.req.header('cf-access-jwt-assertion')
    if (assertion === undefined || access === undefined) {
      return unauthorized(c, 'no bearer token was sent')
    }
    const result = await access.check(assertion)
    if ('caller' in result) return result.caller
    if ('wrong' in result) return wrong(result.wrong)
    return adminError(c, 503, 'admin.access_unavailable', result.unavailable)
  }

  return createMiddleware(async (c, next) => {
    if (writer === undefined && reader === undefined && access === undefined) {
      return adminError(c, 403, 'admin.off', 'the admin API is off: ADMIN_TOKEN is not set')
    }
    const address = clientAddress?.(c.req.raw) ?? ''
    const now = Date.now()
    const wait = guesses.retryAfter(address, now)
    if (wait > 0) {
      c.header('retry-after', String(wait))
      const message = `too many wrong tokens came from this address; it may try again in ${wait} s`
      return adminError(c, 429, 'admin.too_many_attempts', message)
    }
    const caller = await identify(c, (why) => {
      guesses.wrong(address, now)
      return unauthorized(c, why)
    })
    if (caller instanceof Response) return caller
    c.set('caller', caller)
    return (needsWrite(c) ? refuseWrite(c) : undefined) ?? next()
  })
}

/**
 * For what only turns out to change something when the body is read.
 * @returns the answer to a caller who may not write, or undefined for one who may
 */
export function refuseWrite(c: Context<AdminEnv>): Response | undefined {
  const { role, name } = c.get('caller')
  if (role !== 'write') {
    return adminError(c, 403, 'admin.read_only', `${name || 'this token'} may read, not write`)
  }
  // a browser sends the cookie of Access along whoever made it ask; a token it does not have
  const origin = c.req.header('origin')
  if (name === undefined || origin === undefined) return undefined
  if (URL.canParse(origin) && new URL(origin).host === new URL(c.req.url).host) return undefined
  return adminError(c, 403, 'admin.cross_site', 'the request comes from a page of another site')
}

function needsWrite({ req: { method, path } }: Context): boolean {
  return method !== 'GET' && method !== 'HEAD' && !HARMLESS.has(`${method} ${path}`)
}

/** The bearer token that was sent. */
export function bearerOf(c: Context): string | undefined {
  return /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
}

/** The answer to who did not prove who they are. */
export function unauthorized(c: Context, message: string): Response {
  c.header('www-authenticate', 'Bearer realm="postern"')
  return adminError(c, 401, 'admin.unauthorized', message)
}

/** What is configured wrongly lets nobody in; the log says why. */
function secretOf(variable: string, text: string | undefined): Secret | undefined {
  try {
    return Secret.parse(text)
  } catch (error) {
    console.error(`${variable}: ${(error as Error).message}; nobody is let in by it`)
    return undefined
  }
}
