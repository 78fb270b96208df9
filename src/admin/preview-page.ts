/** `/-/preview`: the page that keeps preview tokens in the browser that opens it. Part of the second module. */
import type { GoodPreview } from '../rollout/preview-token.ts'
import { previewCookie, previewTokensOf } from '../rollout/preview-carriers.ts'
import type { PreviewPorts } from './ports.ts'

/** What every page of it says to caches, and to whoever is linked from there. */
const PRIVATE = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }

/**
 * `?token=…` keeps the token in this browser, beside those for other rollouts; `?off` lets go of all.
 * @returns undefined for anything else, and for a token that is not good
 */
export async function previewPage(
  { url, headers }: Request,
  previews: Pick<PreviewPorts, 'read'>,
): Promise<Response | undefined> {
  const { origin, protocol, pathname, searchParams } = new URL(url)
  const secure = protocol === 'https:'
  if (searchParams.has('off')) {
    return page('This browser gets what everybody gets.\n', previewCookie([], 0, secure))
  }
  const token = searchParams.get('token') ?? ''
  const preview = await previews.read(token)
  if (preview === undefined) return undefined
  let { until } = preview
  const tokens = [token]
  for (const other of previewTokensOf({ header: null, cookies: headers.get('cookie') })) {
    const kept = await previews.read(other)
    if (kept === undefined || kept.rollout === preview.rollout) continue
    tokens.push(other)
    until = Math.max(until, kept.until)
  }
  const maxAge = Math.floor((until - Date.now()) / 1000)
  return page(
    `${told(preview)}To end it: ${origin}${pathname}?off\n`,
    previewCookie(tokens, maxAge, secure),
  )
}

function told({ side, rollout, until }: GoodPreview): string {
  const version = side === 'candidate' ? 'candidate' : 'stable version'
  return `This browser gets the ${version} of ${rollout} until ${new Date(until).toISOString()}.\n`
}

function page(text: string, cookie: string): Response {
  const type = { 'content-type': 'text/plain; charset=utf-8' }
  return new Response(text, { headers: { ...PRIVATE, ...type, 'set-cookie': cookie } })
}
