/**
 * The whole request path on one screen: match the route, run its chain over the request, ask the
 * upstream, run the chain backwards over the response.
 */
import { runFetchStream } from '../proxy-wasm/index.ts'
import { namedHopByHop } from '../proxy-wasm/stream/fetch-headers.ts'
import type { Exchange } from './exchange.ts'
import { forwardedHeaders } from './forwarded.ts'
import type { Gateway } from './gateway.ts'
import { localReplyResponse } from './reply.ts'
import { RoutedRequest } from './routed-request.ts'
import type { Running } from './running.ts'

/** Serves one request with the snapshot that runs now. */
export function handle(
  gateway: Pick<Gateway, 'pool'>,
  running: Running,
  request: Request,
  io: Exchange,
): Promise<Response> {
  const routed = new RoutedRequest(gateway.pool, running, request, io)
  io.meter = running.meter(routed.route)
  return routed.plugins.length === 0 ? passThrough(routed) : runFetchStream(routed)
}

/** A route without plugins: nothing of the machine is involved, the platform copies the headers. */
async function passThrough(routed: RoutedRequest): Promise<Response> {
  const { request, method, path, io } = routed
  // HTTP allows it, Fetch does not
  const body = method === 'GET' || method === 'HEAD' ? null : request.body
  // an upload that breaks off is aborted; anything else ends with its request
  const abort = body === null ? undefined : new AbortController()
  const answer = await routed.send(method, path, forwardedHeaders(routed), body, abort)
  io.answered(answer.status)
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
