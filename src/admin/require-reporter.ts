/**
 * Who may send reports over HTTP: whoever has one of `REPORT_TOKENS`, which opens nothing else. A thousand
 * stores may stand behind one address, so a right token is let in whatever others from there have sent, and
 * wrong ones are counted apart from those of the admin API.
 */
import type { MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { adminError } from './admin-error.ts'
import { type AuthOptions, bearerOf, unauthorized } from './auth.ts'
import { Guesses } from './guesses.ts'
import { Secret } from './secret.ts'

/** As nobody is kept from guessing one, a token has to be too long for that. */
const LEAST_LENGTH = 20

/** Lets those in who have a token; others are told why not. */
export function requireReporter({
  reportTokens = '',
  clientAddress,
}: Pick<AuthOptions, 'reportTokens' | 'clientAddress'>): MiddlewareHandler {
  const secrets = reportTokens.split(/[\s,]+/).flatMap((text) => secretOf(text) ?? [])
  const guesses = new Guesses()
  return createMiddleware(async (c, next) => {
    if (secrets.length === 0) {
      return adminError(
        c,
        403,
        'report.off',
        'REPORT_TOKENS is not set: no reports are taken over HTTP',
      )
    }
    const given = bearerOf(c)
    if (given === undefined) return unauthorized(c, 'no bearer token was sent')
    const matches = await Promise.all(secrets.map((secret) => secret.matches(given)))
    if (matches.includes(true)) return next()
    const address = clientAddress?.(c.req.raw) ?? ''
    const wait = guesses.retryAfter(address, Date.now())
    if (wait > 0) {
      c.header('retry-after', String(wait))
      const message = 'too many wrong tokens came from this address; right ones are still taken'
      return adminError(c, 429, 'admin.too_many_attempts', message)
    }
    guesses.wrong(address, Date.now())
    return unauthorized(c, 'the token is none of REPORT_TOKENS')
  })
}

/** What is configured wrongly lets nobody in; the log says why. */
function secretOf(text: string): Secret | undefined {
  try {
    if (text !== '' && text.length < LEAST_LENGTH) {
      throw new Error(`a token has ${LEAST_LENGTH} characters at least`)
    }
    return Secret.parse(text)
  } catch (error) {
    console.error(`REPORT_TOKENS: ${(error as Error).message}; nobody is let in by it`)
    return undefined
  }
}
