/** The Hono app: admin under `/-/`, everything else is the gateway's. */
import { Hono } from 'hono'
import { type AdminOptions, adminApi } from './admin/api.ts'
import type { Gateway } from './gateway/gateway.ts'

export interface AppOptions {
  readonly gateway: Gateway
  readonly admin: AdminOptions
}

/** Puts the two together. Paths under `/-/` never reach an upstream. */
export function app({ gateway, admin }: AppOptions): Hono {
  return new Hono()
    .route('/', adminApi(admin))
    .all('*', (c) => gateway.fetch(c.req.raw, c.executionCtx))
}
