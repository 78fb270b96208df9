/**
 * The headers by which a proxy says who asked (as Envoy sets them): `x-forwarded-for` grows by the
 * client's address; proto and host say what the client used, unless a proxy before said so. Preview tokens
 * are for the gateway alone, and stay behind.
 */
import type { HeaderMap } from '../proxy-wasm/index.ts'
import { withoutConnection } from '../proxy-wasm/stream/fetch-headers.ts'
import { PREVIEW_HEADER, withoutPreviewCookie } from '../rollout/preview-carriers.ts'
import type { RoutedRequest } from './routed-request.ts'
import { clientIp } from './stream-info.ts'

/** @param ip - the client's address, or undefined when the platform does not say */
export function addForwarded(headers: HeaderMap, ip: string | undefined): void {
  if (ip !== undefined) {
    const before = headers.get('x-forwarded-for')
    if (before === undefined) headers.add('x-forwarded-for', ip)
    else headers.replace('x-forwarded-for', `${before}, ${ip}`)
  }
  if (!headers.has('x-forwarded-proto')) {
    headers.add('x-forwarded-proto', headers.get(':scheme') ?? 'http')
  }
  const authority = headers.get(':authority')
  if (authority !== undefined && !headers.has('x-forwarded-host')) {
    headers.add('x-forwarded-host', authority)
  }
}

/** Takes preview tokens out. */
export function stripTokens(headers: HeaderMap): void {
  headers.remove(PREVIEW_HEADER)
  const cookies = headers.get('cookie')
  if (cookies === undefined) return
  const others = withoutPreviewCookie(cookies)
  if (others === '') headers.remove('cookie')
  else if (others !== cookies) headers.replace('cookie', others)
}

/** The same for a request that no plugin sees, on the platform's own copy of its headers. */
export function forwardedHeaders({ request, scheme, authority, io }: RoutedRequest): Headers {
  const headers = withoutConnection(request.headers)
  const ip = clientIp(request)
  if (ip !== undefined) {
    const before = headers.get('x-forwarded-for')
    headers.set('x-forwarded-for', before === null ? ip : `${before}, ${ip}`)
  }
  if (!headers.has('x-forwarded-proto')) headers.set('x-forwarded-proto', scheme)
  if (!headers.has('x-forwarded-host')) headers.set('x-forwarded-host', authority)
  if (io.visitor?.sentTokens) {
    headers.delete(PREVIEW_HEADER)
    const others = withoutPreviewCookie(headers.get('cookie') ?? '')
    if (others === '') headers.delete('cookie')
    else headers.set('cookie', others)
  }
  return headers
}
