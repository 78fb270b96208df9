/** What leaves a chain as a Response. */
import { editInPlace, toHeadersInit } from './fetch-headers.ts'
import type { HeaderMap } from './header-map.ts'
import { hasNoBody } from './local-reply.ts'

/** Workers' additions: the other end of an upgraded connection, bodies that are encoded already. */
export interface WorkersResponseInit extends Omit<ResponseInit, 'webSocket' | 'encodeBody'> {
  readonly status: number
  readonly webSocket?: unknown
  readonly encodeBody?: 'manual' | 'automatic'
}

/**
 * @param length - the content-length to send, whatever the headers say; undefined sends none
 * @param warn - told what cannot be sent
 */
export function responseInit(
  headers: HeaderMap,
  length: string | undefined,
  warn: (message: string) => void,
): WorkersResponseInit {
  const sent = headers.get('content-length') === length ? headers : headers.clone()
  if (sent !== headers) {
    if (length === undefined) sent.remove('content-length')
    else sent.replace('content-length', length)
  }
  const init = toHeadersInit(sent, (name) => warn(droppedHeader(name)))
  const text = sent.get(':status')
  const status = Number(text)
  // Fetch builds no response outside of 200–599: what a plugin made of it cannot be sent
  if (!(status >= 200 && status <= 599)) {
    warn(`a response cannot have the status ${text ?? '(none)'}: 502 is sent instead`)
    return { status: 502, headers: init }
  }
  // bytes that a plugin has encoded itself are not to be encoded again (Workers would)
  return sent.has('content-encoding')
    ? { status, headers: init, encodeBody: 'manual' }
    : { status, headers: init }
}

/**
 * The upstream's response with edited headers and its own body. The platform copies it, and the copy is
 * edited: one copy of the headers less than by a record or Headers.
 * @returns undefined when more was changed than a copy can take: build it anew
 */
export function editedResponse(
  upstream: Response,
  headers: HeaderMap,
  warn: (message: string) => void,
): Response | undefined {
  const { status } = upstream
  if (headers.get(':status') !== String(status) || status < 200 || status > 599) return undefined
  if (headers.edits === 'all') return undefined
  const copy = new Response(upstream.body, upstream)
  const dropped = (name: string): void => warn(droppedHeader(name))
  return editInPlace(headers, copy.headers, dropped) ? copy : undefined
}

/** A response whose whole body is here. @param isHead - it tells a length and has no body */
export function wholeResponse(
  headers: HeaderMap,
  bytes: Uint8Array<ArrayBuffer>,
  isHead: boolean,
  warn: (message: string) => void,
): Response {
  const empty = bytes.length === 0 || hasNoBody(Number(headers.get(':status')))
  if (empty) {
    const length = isHead ? headers.get('content-length') : undefined
    return responseOf(null, responseInit(headers, length, warn))
  }
  return responseOf(bytes, responseInit(headers, String(bytes.length), warn))
}

/** A Response with what Workers know of one and Web types do not. */
export function responseOf(
  body: ReadableStream | Uint8Array<ArrayBuffer> | null,
  init: WorkersResponseInit,
): Response {
  return new Response(body, init as ResponseInit)
}

export function droppedHeader(name: string): string {
  return `header ${JSON.stringify(name)} was dropped: HTTP does not allow its name or value`
}
