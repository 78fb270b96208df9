/**
 * The whole request path on one screen: match the route, run its chain over the request, ask the
 * upstream, run the chain backwards over the response.
 */
import type { SnapshotRoute } from '../config/snapshot.ts'
import {
  type LocalReply,
  type OutboundRequest,
  type Plugin,
  runFetchStream,
  type StreamInfo,
} from '../proxy-wasm/index.ts'
import {
  namedHopByHop,
  requestHeaderMap,
  splitUrl,
  toHeadersInit,
} from '../proxy-wasm/stream/fetch-headers.ts'
import { errorReply } from './errors.ts'
import type { Exchange } from './exchange.ts'
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
  /** Host and port that the client asked for. */
  readonly authority: string
}

/** Serves one request with the snapshot that runs now. */
export function handle(
  gateway: Gateway,
  running: Running,
  request: Request,
  io: Exchange,
): Promise<Response> {
  const plan = planFor(running, request)
  const { chain, route, upstream } = plan
  io.meter = running.meter(route)
  if (chain.length === 0) return passThrough(plan, request, io)
  const info = streamInfo(request, gateway.pool.ports.clock.realtime(), {
    routeName: route && `${route.namespace}/${route.name}`,
    clusterName: upstream?.name,
    upstream,
  })
  return runFetchStream({
    plugins: chain,
    pool: gateway.pool,
    request,
    io,
    observer: io,
    info,
    prepare: (headers) => addForwarded(headers, clientIp(request)),
    forward: (outbound) => forward(running, plan, outbound, info),
  })
}

function planFor(running: Running, request: Request): Plan {
  const { authority, path } = splitUrl(request.url)
  const { headers, method } = request
  const key = {
    host: hostOf(authority),
    scheme: request.url.startsWith('https:') ? 'https' : 'http',
    authority,
    path,
    method,
    header: (name: string) => headers.get(name),
  }
  const found = running.routes.match(key)
  const chain = running.atPort(found ? running.chain(found.route) : running.gatewayChain, key)
  if (found === undefined) return { chain, route: undefined, upstream: undefined, authority }
  return {
    chain,
    route: found.route,
    upstream: running.upstreams.get(found.rule.upstream),
    authority,
  }
}

/** A route without plugins: nothing of the machine is involved. */
async function passThrough(plan: Plan, request: Request, exchange: Exchange): Promise<Response> {
  const { method } = request
  const headers = requestHeaderMap(request, request.headers.has('upgrade'))
  addForwarded(headers, clientIp(request))
  const outbound = {
    method,
    path: headers.get(':path') ?? '/',
    headers: toHeadersInit(headers, () => undefined),
    // HTTP allows it, Fetch does not
    body: method === 'GET' || method === 'HEAD' ? null : request.body,
  }
  const answer = await send(plan, outbound, bodyAbort(outbound.body))
  exchange.answered(answer.status)
  return answer instanceof Response ? withoutHopByHop(answer) : localReplyResponse(answer, method)
}

/** The platform leaves out what is always hop-by-hop, not what the upstream named so. */
function withoutHopByHop(response: Response): Response {
  const named = namedHopByHop(response.headers.get('connection'))
  const { status } = response
  if (named.length === 0 || status === 101 || status < 200 || status > 599) return response
  const rest = new Response(response.body, response)
  for (const name of named) rest.headers.delete(name)
  return rest
}

function forward(
  running: Running,
  plan: Plan,
  outbound: OutboundRequest,
  info: StreamInfo,
): Promise<Response | LocalReply> {
  const rerouted = outbound.routeCleared ? rerouteFor(running, plan, outbound) : plan
  if (rerouted !== plan) {
    info.clusterName = rerouted.upstream?.name
    info.upstream = rerouted.upstream
  }
  const { authority } = outbound
  // what a request has begun ends with it here: only one that may break off before needs a controller
  const abort = outbound.mayBreakOff ? outbound.abort : undefined
  if (authority === plan.authority) return send(rerouted, outbound, abort)
  // Fetch sends the upstream's own host: what a plugin made of it travels beside it
  const headers = new Headers(outbound.headers)
  headers.set('x-forwarded-host', authority)
  return send(rerouted, { ...outbound, headers }, abort)
}

/** `clear_route_cache`: the upstream is picked again from the edited headers; the chain stays. */
function rerouteFor(running: Running, plan: Plan, outbound: OutboundRequest): Plan {
  const found = running.routes.match({
    host: hostOf(outbound.authority),
    path: outbound.path,
    method: outbound.method,
    header: (name) => outbound.headerMap.get(name),
  })
  const upstream = found && running.upstreams.get(found.rule.upstream)
  return { ...plan, route: found?.route, upstream }
}

/** An upload that breaks off is aborted; anything else ends with its request. */
function bodyAbort(body: unknown): AbortController | undefined {
  return body === null ? undefined : new AbortController()
}

function send(
  { route, upstream }: Plan,
  outbound: Pick<OutboundRequest, 'method' | 'path' | 'headers' | 'body'>,
  abort: AbortController | undefined,
): Promise<Response | LocalReply> {
  if (upstream === undefined) {
    return Promise.resolve(errorReply(route ? 'upstream.unknown' : 'route.none'))
  }
  const { method, path, headers, body } = outbound
  const signal = abort?.signal ?? null
  const init = { method, headers, body, redirect: 'manual', signal } as const
  return upstream.forward(path, init, abort)
}
