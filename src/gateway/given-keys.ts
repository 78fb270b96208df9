/** Sticky keys that were given out on the way of a request leave with its answer, as cookies. */
import type { Recognition } from '../rollout/recognition.ts'
import type { Visitor } from '../rollout/visitor.ts'

/**
 * The answer with the keys that its request was given, unless no client can or may keep them: what a
 * shared cache may hand to others carries nobody's key, and an upgraded connection goes on as it is.
 * @param visitor - who asked
 */
export function withGivenKeys(
  answer: Promise<Response>,
  recognition: Recognition,
  { url }: Request,
  visitor: Visitor,
): Promise<Response> {
  // known by now: a request is routed before its answer is waited for
  const given = visitor.given
  if (given === undefined) return answer
  return answer.then(async (response) => {
    if (!isKept(response)) return response
    return withCookies(response, await recognition.cookiesOf(given, url.startsWith('https:')))
  })
}

/** Fetch builds no response outside of 200 to 599. */
function isKept({ status, headers }: Response): boolean {
  return status >= 200 && status <= 599 && !isShared(headers)
}

/** What lets a cache of many clients keep it (RFC 9111, section 3); others than these ask for `private`. */
function isShared(headers: Headers): boolean {
  const control = headers.get('cache-control')?.toLowerCase()
  if (control === undefined || /\b(?:private|no-store)\b/.test(control)) return false
  return /\bpublic\b|\bs-maxage\b|\bmax-age="?0*[1-9]/.test(control)
}

function withCookies(response: Response, cookies: readonly string[]): Response {
  let kept = response
  for (const cookie of cookies) {
    try {
      kept.headers.append('set-cookie', cookie)
    } catch {
      // an upstream's own response is immutable
      kept = new Response(response.body, response)
      kept.headers.append('set-cookie', cookie)
    }
  }
  return kept
}
