/**
 * The whole request path on one screen: match the route, run its chain over the request, ask the
 * upstream, run the chain backwards over the response.
 */
import type { SnapshotRoute } from '../config/snapshot.ts'
import {
  type IoContext,
  type LocalReply,
  type OutboundRequest,
  type Plugin,
  runFetchStream,
} from '../proxy-wasm/index.ts'
import { requestHeaderMap, splitUrl, toHeadersInit } from '../proxy-wasm/stream/fetch-headers.ts'
import { errorReply } from './errors.ts'
import { addForwarded } from './forwarded.ts'
import type { Gateway } from './gateway.ts'
import { hostOf } from './route-table.ts'
import type { Running } from './running.ts'
import { clientIp, streamInfo } from './stream-info.ts'
import { localReplyResponse } from './reply.ts'
import type { Upstream } from './upstream.ts'

/** Where a request goes: its route's plugins and upstream, or the Gateway's plugins and no upstream. */
interface Plan {
  readonly chain: readonly Plugin[]
  readonly route: SnapshotRoute | undefined
  readonly upstream: Upstream | undefined
}

/** Serves one request with the snapshot that runs now. */
export function handle(
  gateway: Gateway,
  running: Running,
  request: Request,
  io: IoContext,
): Promise<Response> {
  const plan = planFor(running, request)
  const { chain, route, upstream } = plan
  if (chain.length === 0) return passThrough(plan, request)
  return runFetchStream({
    plugins: chain,
    pool: gateway.pool,
    request,
    io,
    info: streamInfo(request, gateway.pool.ports.clock.realtime(), {
      routeName: route && `${route.namespace}/${route.name}`,
      clusterName: upstream?.name,
    }),
    prepare: (headers) => addForwarded(headers, clientIp(request)),
    forward: (outbound) => forward(running, plan, outbound),
  })
}

function planFor(running: Running, request: Request): Plan {
  const { authority, path } = splitUrl(request.url)
  const { headers, method } = request
  const key = { host: hostOf(authority), path, method, header: (name: string) => headers.get(name) }
  const found = running.routes.match(key)
  if (found === undefined)
    return { chain: running.gatewayChain, route: undefined, upstream: undefined }
  return {
    chain: running.chain(found.route),
    route: found.route,
    upstream: running.upstreams.get(found.rule.upstream),
  }
}

/** A route without plugins: nothing of the machine is involved. */
async function passThrough(plan: Plan, request: Request): Promise<Response> {
  const headers = requestHeaderMap(request, request.headers.has('upgrade'))
  addForwarded(headers, clientIp(request))
  const outbound = {
    method: request.method,
    path: headers.get(':path') ?? '/',
    headers: toHeadersInit(headers, () => undefined),
    body: request.body,
  }
  const answer = await send(plan, outbound, new AbortController())
  return answer instanceof Response ? answer : localReplyResponse(answer, request.method)
}

function forward(
  running: Running,
  plan: Plan,
  outbound: OutboundRequest,
): Promise<Response | LocalReply> {
  const rerouted = outbound.routeCleared ? rerouteFor(running, plan, outbound) : plan
  return send(rerouted, outbound, outbound.abort)
}

/** `clear_route_cache`: the upstream is picked again from the edited headers; the chain stays. */
function rerouteFor(running: Running, plan: Plan, outbound: OutboundRequest): Plan {
  const found = running.routes.match({
    host: hostOf(outbound.authority),
    path: outbound.path,
    method: outbound.method,
    header: (name) => outbound.headerMap.get(name),
  })
  return { ...plan, upstream: found && running.upstreams.get(found.rule.upstream) }
}

async function send(
  { route, upstream }: Plan,
  outbound: Pick<OutboundRequest, 'method' | 'path' | 'headers' | 'body'>,
  abort: AbortController,
): Promise<Response | LocalReply> {
  if (upstream === undefined) return errorReply(route ? 'upstream.unknown' : 'route.none')
  const { method, path, headers, body } = outbound
  const init = { method, headers, body, redirect: 'manual', signal: abort.signal } as const
  return upstream.forward(path, init, abort)
}
