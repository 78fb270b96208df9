/** What the plugins of policy.ts do, as somebody would write it into a Worker by hand. */

export function editRequest(headers: Headers): void {
  headers.delete('x-internal-debug')
  headers.set('x-store', 'store-042')
}

export function editResponse(headers: Headers): void {
  headers.delete('x-powered-by')
  headers.set('x-frame-options', 'DENY')
}

export function editRequestFiveTimes(headers: Headers): void {
  editRequest(headers)
  headers.set('x-region', 'eu-central')
  headers.set('x-tier', 'gold')
  headers.delete('x-debug-trace')
  headers.set('x-channel', 'web')
  headers.set('x-tenant', 'retail')
  headers.set('cache-control', 'no-store')
  headers.set('x-client-kind', 'browser')
  headers.set('x-experiment', 'b')
}

export function editResponseFiveTimes(headers: Headers): void {
  headers.delete('x-upstream-node')
  headers.set('permissions-policy', 'camera=()')
  headers.set('x-served-by', 'edge')
  headers.set('vary', 'accept-encoding, accept-language')
  headers.delete('server')
  headers.set('referrer-policy', 'same-origin')
  headers.set('strict-transport-security', 'max-age=31536000')
  headers.set('x-content-type-options', 'nosniff')
  editResponse(headers)
}
