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
const PREVIEW = '/-/preview?'

/**
 * Puts the two together. Where the admin API is, paths under `/-/` never reach an upstream. What is not
 * admin does not pass through Hono: the gateway has routes of its own, and looking twice costs.
 */
export function app({ gateway, admin, adminHost }: AppOptions): App {
  const api = adminApi(admin)
  const host = adminHost?.toLowerCase()
  const { previews } = admin.ports
  /** Keeps a preview in the browser under the host it is to be looked at; what is no good token is for the routes. */
  async function elsewhere(request: Request, scope: RequestScope, path: number): Promise<Response> {
    const page = request.url.startsWith(PREVIEW, path) ? await previews?.page(request) : undefined
    return page ?? gateway.fetch(request, scope)
  }
  return {
    fetch(request, env, scope) {
      const { url } = request
      const path = url.indexOf('/', SCHEME_END)
      if (!url.startsWith('/-/', path)) return gateway.fetch(request, scope)
      if (host === undefined || host === '' || new URL(url).hostname === host) {
        return api.fetch(request, env as object, scope as ExecutionContext)
      }
      // elsewhere these paths are like all others: nothing shows that there is an admin API
      return elsewhere(request, scope, path)
    },
  }
}
