/** The Hono app: admin under `/-/`, everything else is the gateway's. */
import { type Context, Hono } from 'hono'
import { type AdminOptions, adminApi } from './admin/api.ts'
import type { Gateway } from './gateway/gateway.ts'

export interface AppOptions {
  readonly gateway: Gateway
  readonly admin: AdminOptions
  /** The one host name under which the admin API is there; absent or empty: every one. */
  readonly adminHost?: string | undefined
}

/** Puts the two together. Where the admin API is, paths under `/-/` never reach an upstream. */
export function app({ gateway, admin, adminHost }: AppOptions): Hono {
  const serve = (c: Context): Promise<Response> => gateway.fetch(c.req.raw, c.executionCtx)
  const whole = new Hono()
  if (adminHost !== undefined && adminHost !== '') {
    const host = adminHost.toLowerCase()
    // elsewhere these paths are like all others: nothing shows that there is an admin API
    whole.use('/-/*', (c, next) => (new URL(c.req.url).hostname === host ? next() : serve(c)))
  }
  return whole.route('/', adminApi(admin)).all('*', serve)
}
