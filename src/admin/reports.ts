/** `POST /-/reports`: batches of nodes elsewhere, and what is active and where rollouts are in the reply. */
import type { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { adminError } from './admin-error.ts'
import type { AdminEnv, AuthOptions } from './auth.ts'
import type { AdminPorts } from './ports.ts'
import { requireReporter } from './require-reporter.ts'

/** What is made of it must fit into a record of a Durable Object. */
const MAX_BYTES = 1_500_000

/** Adds the route, which has a check of its own of who calls. */
export function reportRoute(app: Hono<AdminEnv>, { reports }: AdminPorts, auth: AuthOptions): void {
  const limit = bodyLimit({
    maxSize: MAX_BYTES,
    onError: (c) =>
      adminError(c, 413, 'report.too_large', `a report has ${MAX_BYTES} bytes at the most`),
  })
  app.post('/reports', requireReporter(auth), limit, async (c) => {
    if (reports === undefined) {
      return adminError(c, 503, 'report.off', 'this Worker has no binding REPORTS')
    }
    const answer = await reports.take(await c.req.json().catch(() => undefined))
    return 'wrong' in answer ? adminError(c, 400, 'report.invalid', answer.wrong) : c.json(answer)
  })
}
