/**
 * Who may use the admin API: whoever sends the token. Without a configured token the API is off, so
 * that a gateway nobody set up answers nothing but `/-/healthz`.
 */
import { createMiddleware } from 'hono/factory'
import type { MiddlewareHandler } from 'hono'
import { adminError } from './admin-error.ts'

/**
 * @param token the secret ADMIN_TOKEN; undefined or empty when it is not set
 */
export function requireToken(token: string | undefined): MiddlewareHandler {
  return createMiddleware(async (c, next) => {
    if (token === undefined || token === '') {
      return adminError(c, 403, 'admin.off', 'the admin API is off: ADMIN_TOKEN is not set')
    }
    const given = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (given === undefined || !(await sameText(given, token))) {
      c.header('www-authenticate', 'Bearer realm="postern"')
      const what =
        given === undefined ? 'no bearer token was sent' : 'the token is not the right one'
      return adminError(c, 401, 'admin.unauthorized', what)
    }
    return next()
  })
}

/**
 * Compares without telling how much was right: both sides are hashed first, so that neither content
 * nor length shows in the time it takes.
 */
async function sameText(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([digest(a), digest(b)])
  let difference = 0
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0)
  return difference === 0
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}
