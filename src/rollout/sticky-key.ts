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
  /** A cookie that Postern sets and signs where there is none; its name. */
  | { readonly type: 'issued'; readonly name: string }

/** The parts of a request that keys are taken from. */
export interface KeySource {
  header(name: string): string | null
  /** With query. */
  readonly path: string
  /** Absent where nobody knows it. */
  readonly clientIp?: string | undefined
}

/**
 * @returns undefined when the request has no such key, or an empty one. Of an issued key: the cookie's
 *   value, whose signature is still to be checked (`issued-key.ts`)
 */
export function stickyKeyOf(from: StickyKey, request: KeySource): string | undefined {
  const found = valueOf(from, request)
  return found === '' || found === null ? undefined : found
}

function valueOf(from: StickyKey, request: KeySource): string | null | undefined {
  switch (from.type) {
    case 'cookie':
    case 'issued':
      return cookieOf(request.header('cookie'), from.name)
    case 'header':
      return request.header(from.name)
    case 'query':
      return new URLSearchParams(/\?(.*)/s.exec(request.path)?.[1]).get(from.name)
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
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) {
      return pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1')
    }
  }
  return undefined
}

/** Not verified: what a token is worth is for a plugin to say, a side needs no proof. */
function claimOf(authorization: string | null, name: string): string | undefined {
  const payload = /^bearer +[\w-]*\.([\w-]+)\.[\w-]*$/i.exec(authorization ?? '')?.[1]
  if (payload === undefined) return undefined
  try {
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, '+').replace(/_/g, '/')), (one) =>
      one.charCodeAt(0),
    )
    let claim: unknown = JSON.parse(new TextDecoder().decode(bytes))
    // a claim's own name may have dots in it, as the addresses that OpenID Connect recommends do
    for (const part of hasOwn(claim, name) ? [name] : name.split('.')) {
      claim = hasOwn(claim, part) ? claim[part] : undefined
    }
    return typeof claim === 'string' || typeof claim === 'number' ? `${claim}` : undefined
  } catch {
    return undefined
  }
}

function hasOwn(value: unknown, name: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
}
