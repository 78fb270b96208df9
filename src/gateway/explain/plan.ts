/** Where a request would go: the questions that the request path asks of what runs. */
import type { RouteCandidate } from '../../config/route-order.ts'
import type { Plugin } from '../../proxy-wasm/index.ts'
import { splitUrl } from '../../proxy-wasm/stream/fetch-headers.ts'
import { hostOf, type RouteKey } from '../route-table.ts'
import type { Running } from '../running.ts'

export interface Plan {
  readonly key: RouteKey
  readonly won: RouteCandidate | undefined
  readonly chain: readonly Plugin[]
}

export function planOf(running: Running, request: Request): Plan {
  const { authority, path } = splitUrl(request.url)
  const { headers, method } = request
  const key: RouteKey = {
    host: hostOf(authority),
    scheme: request.url.startsWith('https:') ? 'https' : 'http',
    authority,
    path,
    method,
    header: (name) => headers.get(name),
  }
  const won = running.routes.match(key)
  const chain = won ? running.chain(won.route) : running.gatewayChain
  return { key, won, chain: running.atPort(chain, key) }
}
