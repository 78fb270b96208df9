/**
 * A reply that a plugin or the gateway gives itself: what was asked for, and the headers that come of
 * it (Envoy's rules).
 */
import { textToBytes } from '../memory/byte-string.ts'
import type { ByteString, HeaderLines } from '../ports.ts'
import type { Direction } from './effects.ts'
import { HeaderMap } from './header-map.ts'

export interface LocalReply {
  readonly status: number
  /** Why, for logs; white space becomes `_`. */
  readonly details: string
  readonly headers: HeaderLines
  readonly body: Uint8Array<ArrayBuffer>
  /** 0–16, or undefined to derive it from the status. */
  readonly grpcStatus: number | undefined
}

/** Body-less reply with that status, for failures of the machine's own. */
export function emptyReply(status: number, details: string, grpcStatus?: number): LocalReply {
  return { status, details, headers: [], body: new Uint8Array(0), grpcStatus }
}

/** As `emptyReply`, with a line of text. */
export function textReply(status: number, text: string, details: string): LocalReply {
  return { ...emptyReply(status, details), body: textToBytes(text) }
}

/** The answer when a plugin that fails closed has trapped or cannot run. */
export function failedReply(): LocalReply {
  return emptyReply(503, 'wasm_fail_stream', GRPC_UNAVAILABLE)
}

/** The answer when a plugin that fails open has used up its budget for that. */
export function overBudgetReply(): LocalReply {
  const details = 'plugin.fail_open_budget'
  const message = 'A plugin has failed for more requests than may go on without it.'
  return {
    status: 503,
    details,
    headers: ['content-type', 'application/json'],
    body: textToBytes(JSON.stringify({ error: { code: details, message } })),
    grpcStatus: GRPC_UNAVAILABLE,
  }
}

/** The answer when a plugin would buffer more than it may. */
export function tooLarge(direction: Direction): LocalReply {
  return direction === 'request'
    ? textReply(413, 'Payload Too Large', 'request_payload_too_large')
    : textReply(500, 'Internal Server Error', 'response_payload_too_large')
}

const GRPC_UNAVAILABLE = 14

/**
 * What is answered where plugins have removed what HTTP cannot do without (Envoy's answers).
 * @returns undefined when nothing is missing
 */
export function missingHeader(direction: Direction, headers: HeaderMap): LocalReply | undefined {
  if (direction === 'request') {
    if (!headers.get(':path')) return emptyReply(404, 'route_not_found')
    return headers.get(':method') ? undefined : missing(503, ':method')
  }
  return /^\d+$/.test(headers.get(':status') ?? '') ? undefined : missing(502, ':status')
}

function missing(status: number, name: string): LocalReply {
  return textReply(status, `missing required header: ${name}`, 'filter_removed_required_headers')
}

/** HTTP status → gRPC status, from the gRPC documentation "HTTP to gRPC Status Code Mapping". */
const GRPC_FROM_HTTP: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
}
const GRPC_UNKNOWN = 2

export function grpcStatusOf(status: number): number {
  return GRPC_FROM_HTTP[status] ?? GRPC_UNKNOWN
}

/** Whether a request speaks gRPC; gRPC-Web does not, and wants answers as HTTP has them. */
export function isGrpc(request: HeaderMap | undefined): boolean {
  return /^application\/grpc(?:$|[+;])/.test(request?.get('content-type') ?? '')
}

/** RFC 9110 §15.3.5, §15.3.6, §15.4.5: no body, not even an empty one. */
export function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304
}

/**
 * The reply's header map and body as they enter the response path.
 * @param grpc - the request speaks gRPC: then the reply is trailers-only, status 200
 * @param isHead - the request's method is HEAD: then the body is left out and its length kept
 */
export function prepareLocalReply(
  reply: LocalReply,
  grpc: boolean,
  isHead: boolean,
): { readonly headers: HeaderMap; readonly body: Uint8Array<ArrayBuffer> } {
  const headers = new HeaderMap([':status', String(grpc ? 200 : reply.status)])
  for (let i = 0; i < reply.headers.length; i += 2) {
    const name = (reply.headers[i] as ByteString).toLowerCase()
    // pseudo-headers are not the plugin's to give here
    if (name.startsWith(':')) continue
    headers.add(name, reply.headers[i + 1] as ByteString)
  }
  if (grpc) return { headers: asTrailersOnly(headers, reply), body: new Uint8Array(0) }
  const noBody = reply.body.length === 0 || hasNoBody(reply.status)
  if (noBody) {
    headers.remove('content-type')
    headers.remove('content-length')
  } else {
    headers.replace('content-length', String(reply.body.length))
    if (!headers.has('content-type')) headers.add('content-type', 'text/plain')
  }
  return { headers, body: noBody || isHead ? new Uint8Array(0) : reply.body }
}

function asTrailersOnly(headers: HeaderMap, reply: LocalReply): HeaderMap {
  headers.replace('content-type', 'application/grpc')
  headers.remove('content-length')
  const status = reply.grpcStatus ?? grpcStatusOf(reply.status)
  headers.replace('grpc-status', String(status))
  if (reply.body.length > 0) headers.replace('grpc-message', percentEncode(reply.body))
  return headers
}

/** gRPC's percent-encoding: printable ASCII but `%` stays (gRPC over HTTP/2, "Percent-Encoded"). */
function percentEncode(bytes: Uint8Array): ByteString {
  let text = ''
  for (const byte of bytes) {
    text +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}
