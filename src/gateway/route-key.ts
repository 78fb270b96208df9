/** What of a request a route is chosen by. */

/** What a route is matched by; a header's value or undefined. */
export interface RouteKey {
  /** Lower case, without a port. */
  readonly host: string
  /** `http` or `https`; looked at where a host has several listeners. */
  readonly scheme?: string
  /** Host and port as the client asked for them; for the same. */
  readonly authority?: string
  /** With or without query. */
  readonly path: string
  readonly method: string
  header(name: string): string | null | undefined
  /** The query's parameters, once somebody has asked for one. */
  params?: URLSearchParams
}

/** The first value of a query parameter, decoded, or null. */
export function queryParam(key: RouteKey, name: string): string | null {
  if (key.params === undefined) {
    const query = key.path.indexOf('?')
    key.params = new URLSearchParams(query < 0 ? '' : key.path.slice(query + 1))
  }
  return key.params.get(name)
}

/** The port that was asked for, by the URL or else by its scheme. */
export function portOf({ authority = '', scheme }: RouteKey): number {
  const port = /:(\d+)$/.exec(authority)
  if (port !== null) return Number(port[1])
  return scheme === 'https' ? 443 : 80
}

/** `Host` without its port, in lower case. IPv6 literals keep their brackets. */
export function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(':')
  const host = colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority
  return host.toLowerCase()
}
