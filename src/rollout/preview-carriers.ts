/**
 * How preview tokens travel: tills send a header, browsers a cookie, each with one token or several,
 * for several rollouts. Whoever is behind the gateway sees neither.
 */
import { cookieOf } from './sticky-key.ts'

export const PREVIEW_HEADER = 'x-postern-preview'
export const PREVIEW_COOKIE = 'postern-preview'

/** A request has few rollouts; nobody may make the gateway verify for nothing. */
const MOST = 16
/** A cookie's value may have no comma, and a token has no tilde. */
const BETWEEN = '~'

/** What of a request may carry tokens. */
export interface PreviewCarriers {
  readonly header: string | null
  /** The cookies, as they were sent. */
  readonly cookies: string | null
}

/** @returns those of the header first: a till knows better than what a browser once kept */
export function previewTokensOf({ header, cookies }: PreviewCarriers): readonly string[] {
  const kept = cookies?.includes(PREVIEW_COOKIE) ? cookieOf(cookies, PREVIEW_COOKIE) : undefined
  if (header === null && kept === undefined) return NONE
  return `${header ?? ''}${BETWEEN}${kept ?? ''}`
    .split(/[\s,~]+/)
    .filter((token) => token !== '')
    .slice(0, MOST)
}

const NONE: readonly string[] = []

/** @returns the line of cookies without that of tokens; empty when there is nothing else in it */
export function withoutPreviewCookie(cookies: string): string {
  const others = cookies
    .split(';')
    .filter((pair) => pair.split('=', 1)[0]?.trim() !== PREVIEW_COOKIE)
  return others.join(';').trim()
}

/**
 * The `set-cookie` line of a browser that previews.
 * @param maxAge - seconds; 0 and no tokens: it previews no longer
 * @param secure - whether the request came over https
 */
export function previewCookie(tokens: readonly string[], maxAge: number, secure: boolean): string {
  const value = `${PREVIEW_COOKIE}=${tokens.slice(0, MOST).join(BETWEEN)}`
  const line = `${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax`
  return secure ? `${line}; Secure` : line
}
