/** The app: Hono answers admin requests under `/-/`, everything else is the gateway's. */
import type { ExecutionContext } from 'hono'
import { type AdminOptions, adminApi } from './admin/api.ts'
import type { Gateway } from './gateway/gateway.ts'

/** What keeps a request's work alive after its answer. */
type RequestScope = Parameters<Gateway['fetch']>[1]

export interface AppOptions {
  readonly gateway: Gateway
  readonly admin: AdminOptions
  /** The one host name under which the admin API is there; absent or empty: every one. */
  readonly adminHost?: string | undefined
}

/** What the Worker hands its requests to. */
export interface App {
  fetch(request: Request, env: unknown, scope: RequestScope): Response | Promise<Response>
}

/** Where the path of a URL begins is behind the third slash; `https://a` has two and a letter. */
const SCHEME_END = 8

/**
 * Puts the two together. Where the admin API is, paths under `/-/` never reach an upstream. What is not
 * admin does not pass through Hono: the gateway has routes of its own, and looking twice costs.
 */
export function app({ gateway, admin, adminHost }: AppOptions): App {
  const api = adminApi(admin)
  const host = adminHost?.toLowerCase()
  // elsewhere these paths are like all others: nothing shows that there is an admin API
  const isAdmin = (url: string): boolean =>
    url.startsWith('/-/', url.indexOf('/', SCHEME_END)) &&
    (host === undefined || host === '' || new URL(url).hostname === host)
  return {
    fetch: (request, env, scope) =>
      isAdmin(request.url)
        ? api.fetch(request, env as object, scope as ExecutionContext)
        : gateway.fetch(request, scope),
  }
}
