/**
 * A reverse proxy as a good engineer writes it by hand: copy the headers, drop what is hop-by-hop, say
 * who asked, send it on. No timeout and no abort: the gateway has both, and has to be as fast with them.
 */

/** RFC 9110 §7.6.1. On the way back workerd leaves them out by itself. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** @param edit - what is to be changed in the request's headers */
export function forward(
  request: Request,
  upstream: string,
  edit?: (headers: Headers) => void,
): Promise<Response> {
  const url = new URL(request.url)
  const headers = new Headers(request.headers)
  for (const name of HOP_BY_HOP) headers.delete(name)
  const client = clientAddress(request)
  const before = headers.get('x-forwarded-for')
  headers.set('x-forwarded-for', before === null ? client : `${before}, ${client}`)
  if (!headers.has('x-forwarded-proto')) {
    headers.set('x-forwarded-proto', url.protocol.slice(0, -1))
  }
  if (!headers.has('x-forwarded-host')) headers.set('x-forwarded-host', url.host)
  edit?.(headers)
  const { method, body } = request
  return fetch(`${upstream}${url.pathname}${url.search}`, {
    method,
    headers,
    body,
    redirect: 'manual',
  })
}

/** @param edit - what is to be changed in the response's headers */
export function answer(response: Response, edit: (headers: Headers) => void): Response {
  const headers = new Headers(response.headers)
  edit(headers)
  return new Response(response.body, { status: response.status, headers })
}

/** `ip:port` of the connection, as workerd gives it outside of Cloudflare; on IPv4 here. */
function clientAddress(request: Request): string {
  const { cf } = request as Request & { readonly cf: { readonly clientIp: string } }
  return cf.clientIp.slice(0, cf.clientIp.lastIndexOf(':'))
}
