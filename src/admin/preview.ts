/**
 * Previews: `POST /-/rollouts/preview` gives out a token, and `/-/preview`, which needs none of the admin
 * API's, keeps one in the browser that opens it. The secret stays where it is: tokens are made and read
 * through a port.
 */
import type { Context, Hono } from 'hono'
import * as v from 'valibot'
import { MAX_PREVIEW_MS } from '../rollout/preview-token.ts'
import { adminError } from './admin-error.ts'
import type { AdminEnv } from './auth.ts'
import type { AdminPorts } from './ports.ts'

const requestSchema = v.strictObject({
  rollout: v.pipe(v.string(), v.maxLength(400)),
  side: v.optional(v.picklist(['candidate', 'stable']), 'candidate'),
  seconds: v.optional(
    v.pipe(
      v.number(),
      v.minValue(1, 'expected a second or more'),
      v.maxValue(MAX_PREVIEW_MS / 1000, 'expected a day or less'),
    ),
    60 * 60,
  ),
})

/** A token is nobody else's. */
const PRIVATE = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }

/** Adds what gives out tokens, behind the check of who calls. */
export function previewRoute(
  app: Hono<AdminEnv>,
  { previews }: AdminPorts,
  scopeOf: (c: Context) => { waitUntil(promise: Promise<unknown>): void },
): void {
  app.post('/rollouts/preview', async (c) => {
    const message = 'this gateway has no ROLLOUT_SECRET that it could sign a token with'
    if (previews === undefined) return adminError(c, 503, 'rollout.no_secret', message)
    const parsed = v.safeParse(requestSchema, await c.req.json().catch(() => undefined))
    if (!parsed.success) {
      const [issue] = parsed.issues
      const where = v.getDotPath(issue) ?? 'the body'
      return adminError(c, 400, 'config.request_invalid', `${where}: ${issue.message}`)
    }
    const { seconds, ...preview } = parsed.output
    const token = await previews.issue(preview, seconds * 1000, scopeOf(c))
    const good = token && (await previews.read(token))
    if (good) return c.json({ ...good, token }, 200, PRIVATE)
    return adminError(c, 404, 'rollout.unknown', `${preview.rollout} is in nothing that runs here`)
  })
}

/** Adds the page that keeps tokens (`preview-page.ts`), before the check of who calls. */
export function previewPageRoute(app: Hono<AdminEnv>, { previews }: AdminPorts): void {
  app.get('/preview', async (c) => {
    const page = await previews?.page(c.req.raw)
    const message = 'this is no token that is good now'
    return page ?? adminError(c, 403, 'rollout.preview_invalid', message)
  })
}
