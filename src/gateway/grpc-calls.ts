/**
 * The machine's port for gRPC callouts, as gRPC-Web over the upstreams that the running snapshot
 * declares: one message out, any number back, trailers as the last frame. Fetch shows no HTTP trailers,
 * so plain gRPC cannot be spoken here; Envoy, Connect and grpc-web proxies understand gRPC-Web.
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
import {
  type GrpcCall,
  type GrpcCallsPort,
  type GrpcEvent,
  HeaderMap,
  type HeaderLines,
  Status,
} from '../proxy-wasm/index.ts'
import { CALLOUT_BODY_BYTES } from '../proxy-wasm/limits.ts'
import { responseHeaderMap, toHeadersInit } from '../proxy-wasm/stream/fetch-headers.ts'
import { GrpcStatus, grpcStatusOf, grpcStatusOfHttp } from './grpc-status.ts'
import { encodeMessage, GrpcWebDecoder, GrpcWebFrameError } from './grpc-web-frames.ts'
import type { Upstream } from './upstream.ts'

const CONTENT_TYPE = 'application/grpc-web+proto'
const PATH_SEGMENT = /^[\w.$-]+$/
/** `grpc-timeout` has eight digits at the most. */
const TIMEOUT_MAX = 99_999_999

/** @param find - the upstream that a plugin may call under a name, or undefined */
export function grpcCallsPort(
  find: (plugin: string, upstream: string) => Upstream | undefined,
): GrpcCallsPort {
  return {
    declares: (plugin, upstream) => find(plugin, upstream)?.bound === true,
    start(call) {
      const upstream = find(call.plugin, call.upstream)
      if (upstream === undefined || !upstream.bound) return Status.ParseFailure
      if (!PATH_SEGMENT.test(call.service) || !PATH_SEGMENT.test(call.method)) {
        return Status.InternalFailure
      }
      const abort = new AbortController()
      return { events: exchange(call, upstream, abort.signal), cancel: () => abort.abort() }
    },
  }
}

async function* exchange(
  call: GrpcCall,
  upstream: Upstream,
  signal: AbortSignal,
): AsyncGenerator<GrpcEvent, void, void> {
  let response: Response
  try {
    response = await upstream.fetch(`/${call.service}/${call.method}`, {
      method: 'POST',
      headers: outboundHeaders(call),
      body: call.message === undefined ? null : encodeMessage(call.message),
      redirect: 'manual',
      signal,
    })
    upstream.meter.answered(response.status)
  } catch {
    if (signal.aborted) upstream.meter.timedOut()
    else upstream.meter.failed()
    yield closed(
      GrpcStatus.Unavailable,
      'upstream connect error or disconnect/reset before headers',
    )
    return
  }
  const { lines } = responseHeaderMap(response)
  const inHeaders = grpcStatusOf(lines)
  const isGrpc = response.headers.get('content-type')?.startsWith('application/grpc-web') ?? false
  if (inHeaders !== undefined || response.status !== 200 || !isGrpc) {
    await response.body?.cancel().catch(() => undefined)
    // trailers-only: the headers are the trailers
    if (inHeaders !== undefined) {
      yield { kind: 'trailing-metadata', metadata: lines }
      yield { kind: 'close', ...inHeaders }
    } else yield closed(grpcStatusOfHttp(response.status), `HTTP ${response.status}`)
    return
  }
  yield { kind: 'initial-metadata', metadata: lines }
  yield* frames(response.body)
}

async function* frames(
  body: ReadableStream<Uint8Array> | null,
): AsyncGenerator<GrpcEvent, void, void> {
  const decoder = new GrpcWebDecoder(CALLOUT_BODY_BYTES)
  const reader = body?.getReader()
  try {
    for (let next = await reader?.read(); next?.value; next = await reader?.read()) {
      for (const frame of decoder.push(next.value)) {
        if (frame.kind === 'message') yield { kind: 'message', message: frame.bytes }
        else {
          yield* ending(frame.lines)
          return
        }
      }
    }
  } catch (error) {
    yield error instanceof GrpcWebFrameError && error.reason === 'too-large'
      ? closed(GrpcStatus.ResourceExhausted, error.message)
      : closed(GrpcStatus.Internal, 'the response broke off')
    return
  } finally {
    // whoever stops listening early wants no more of it
    await reader?.cancel().catch(() => undefined)
  }
  yield decoder.unfinished
    ? closed(GrpcStatus.Internal, 'the response ended within a frame')
    : closed(GrpcStatus.Unknown, 'the response has no trailers')
}

function* ending(trailers: HeaderLines): Generator<GrpcEvent, void, void> {
  yield { kind: 'trailing-metadata', metadata: trailers }
  yield {
    kind: 'close',
    ...(grpcStatusOf(trailers) ?? { status: GrpcStatus.Unknown, message: '' }),
  }
}

function closed(status: number, message: string): GrpcEvent {
  return { kind: 'close', status, message }
}

/** Names that are the transport's own. */
const RESERVED: ReadonlySet<string> = new Set(['content-type', 'content-length', 'host', 'te'])

function outboundHeaders(call: GrpcCall): HeadersInit {
  const headers = new HeaderMap([])
  for (let i = 0; i + 1 < call.metadata.length; i += 2) {
    const name = (call.metadata[i] as string).toLowerCase()
    const value = call.metadata[i + 1] as string
    if (name.startsWith(':') || RESERVED.has(name)) continue
    // binary metadata travels as base64; what is a byte string is what btoa takes
    headers.add(name, name.endsWith('-bin') ? btoa(value).replace(/=+$/, '') : value)
  }
  headers.replace('content-type', CONTENT_TYPE)
  headers.replace('accept', CONTENT_TYPE)
  headers.replace('x-grpc-web', '1')
  if (call.timeoutMs > 0) {
    headers.replace('grpc-timeout', `${Math.min(call.timeoutMs, TIMEOUT_MAX)}m`)
  }
  return toHeadersInit(headers, () => undefined)
}
