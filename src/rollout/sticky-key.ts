/**
 * What a request is recognised by, so that a client stays on its side of a rollout. A key is only
 * hashed: it grants nothing, and whoever chooses his own key chooses no more than his side.
 */

/** Where the key is taken from. */
export type StickyKey =
  | { readonly type: 'cookie' | 'header' | 'query'; readonly name: string }
  /** A member of the payload of the bearer token, `a.b` for one within another. */
  | { readonly type: 'jwtClaim'; readonly name: string }
  | { readonly type: 'clientIp' }

/** The parts of a request that keys are taken from. */
export interface KeySource {
  header(name: string): string | null
  /** With query. */
  readonly path: string
  /** Absent where nobody knows it. */
  readonly clientIp?: string | undefined
}

/**
 * @returns undefined when the request has no such key, or an empty one
 */
export function stickyKeyOf(from: StickyKey, request: KeySource): string | undefined {
  const found = valueOf(from, request)
  return found === '' || found === null ? undefined : found
}

function valueOf(from: StickyKey, request: KeySource): string | null | undefined {
  switch (from.type) {
    case 'cookie':
      return cookieOf(request.header('cookie'), from.name)
    case 'header':
      return request.header(from.name)
    case 'query':
      return queryOf(request.path, from.name)
    case 'clientIp':
      return request.clientIp
    case 'jwtClaim':
      return claimOf(request.header('authorization'), from.name)
  }
}

/**
 * The first cookie of that name; quotes around a value are no part of it.
 * https://www.rfc-editor.org/rfc/rfc6265#section-5.4
 */
export function cookieOf(header: string | null, name: string): string | undefined {
  if (header === null) return undefined
  // a walk over the header: a list of its parts would be made for every request
  let equals = -1
  for (let from = 0, end; from < header.length; from = end + 1) {
    end = endOf(header, ';', from)
    if (equals < from) equals = header.indexOf('=', from)
    if (equals < 0) return undefined
    if (equals < end && header.slice(from, equals).trim() === name) {
      const value = header.slice(equals + 1, end).trim()
      return value.startsWith('"') ? value.replace(/^"(.*)"$/, '$1') : value
    }
  }
  return undefined
}

/** The first parameter of that name. Only what is written in another way than it is meant is decoded. */
function queryOf(path: string, name: string): string | null | undefined {
  const query = path.indexOf('?')
  if (query < 0) return undefined
  for (let from = query + 1, end; from < path.length; from = end + 1) {
    end = endOf(path, '&', from)
    const pair = path.slice(from, end)
    if (/[%+]/.test(pair)) {
      const decoded = new URLSearchParams(`&${pair}`)
      if (decoded.has(name)) return decoded.get(name)
    } else if (pair.startsWith(name)) {
      if (pair.length === name.length) return ''
      if (pair[name.length] === '=') return pair.slice(name.length + 1)
    }
  }
  return undefined
}

function endOf(text: string, separator: string, from: number): number {
  const found = text.indexOf(separator, from)
  return found < 0 ? text.length : found
}

/** Not verified: what a token is worth is for a plugin to say, a side needs no proof. */
function claimOf(authorization: string | null, name: string): string | undefined {
  const payload = payloadOf(authorization)
  if (payload === undefined) return undefined
  try {
    const bytes = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    let claim: unknown = JSON.parse(isAscii(bytes) ? bytes : decoded(bytes))
    // a claim's own name may have dots in it, as the addresses that OpenID Connect recommends do
    for (const part of hasOwn(claim, name) ? [name] : name.split('.')) {
      claim = hasOwn(claim, part) ? claim[part] : undefined
    }
    return typeof claim === 'string' || typeof claim === 'number' ? `${claim}` : undefined
  } catch {
    return undefined
  }
}

/** What stands between the two dots of a bearer token. */
function payloadOf(authorization: string | null): string | undefined {
  if (authorization?.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  const from = authorization.indexOf('.') + 1
  const to = authorization.indexOf('.', from)
  const isWhole = from > 0 && to > 0 && !authorization.includes('.', to + 1)
  return isWhole ? authorization.slice(from, to) : undefined
}

function isAscii(bytes: string): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes.charCodeAt(i) > 127) return false
  return true
}

function decoded(bytes: string): string {
  return new TextDecoder().decode(Uint8Array.from(bytes, (one) => one.charCodeAt(0)))
}

function hasOwn(value: unknown, name: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
}
