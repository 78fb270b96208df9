/** The machine's port for HTTP callouts, over the upstreams that the running snapshot declares. */
import { CALLOUT_BODY_BYTES } from '../proxy-wasm/limits.ts'
import {
  HeaderMap,
  type HttpCall,
  type HttpCallOutcome,
  type HttpCallsPort,
  Status,
} from '../proxy-wasm/index.ts'
import { BodyBuffer } from '../proxy-wasm/stream/body-buffer.ts'
import { responseHeaderMap, toHeadersInit } from '../proxy-wasm/stream/fetch-headers.ts'
import type { Upstream } from './upstream.ts'

/** @param find - the upstream that a plugin may call under a name, or undefined */
export function httpCallsPort(
  find: (plugin: string, upstream: string) => Upstream | undefined,
): HttpCallsPort {
  return {
    start(call) {
      const upstream = find(call.plugin, call.upstream)
      if (upstream === undefined || !upstream.bound) return Status.BadArgument
      const abort = new AbortController()
      return { outcome: exchange(call, upstream, abort.signal), cancel: () => abort.abort() }
    },
  }
}

async function exchange(
  call: HttpCall,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<HttpCallOutcome> {
  let response: Response
  try {
    response = await upstream.fetch(...outbound(call, upstream, signal))
    upstream.meter.answered(response.status)
  } catch {
    // the machine cancels a call at its deadline, and one that nobody waits for
    if (signal.aborted) upstream.meter.timedOut()
    else upstream.meter.failed()
    return { failure: 'connect' }
  }
  try {
    const body = await readUpTo(response, CALLOUT_BODY_BYTES)
    if (body === undefined) return { failure: 'too-large' }
    const headers = responseHeaderMap(response)
    // what was encoded is not any more
    if (headers.has('content-encoding')) {
      headers.remove('content-encoding')
      headers.replace('content-length', String(body.length))
    }
    return { headers: headers.lines, body, trailers: [] }
  } catch {
    return { failure: 'reset' }
  }
}

function outbound(
  call: HttpCall,
  upstream: Upstream,
  signal: AbortSignal,
): [path: string, init: RequestInit] {
  const headers = new HeaderMap([...call.headers])
  const method = headers.get(':method') ?? 'GET'
  // Host follows the upstream's URL on Fetch; what the plugin wanted it to be travels beside it
  const authority = headers.get(':authority') ?? headers.get('host')
  if (authority !== undefined && authority !== upstream.authority) {
    headers.replace('x-forwarded-host', authority)
  }
  headers.remove('host')
  headers.remove('content-length')
  const hasBody = call.body.length > 0 && method !== 'GET' && method !== 'HEAD'
  return [
    headers.get(':path') ?? '/',
    {
      method,
      headers: toHeadersInit(headers, () => undefined),
      body: hasBody ? call.body : null,
      redirect: 'manual',
      signal,
    },
  ]
}

/** @returns the whole body, or undefined when it is longer than `limit` bytes */
async function readUpTo(
  response: Response,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (response.body === null) return new Uint8Array(0)
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  if (declared <= limit) return new Uint8Array(await response.arrayBuffer())
  const body = new BodyBuffer()
  const reader = response.body.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    body.append(next.value as Uint8Array<ArrayBuffer>)
    if (body.size > limit) {
      await reader.cancel()
      return undefined
    }
  }
  return body.take()
}
