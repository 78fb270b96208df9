/**
 * The admin API, everything under `/-/`: a Hono app over ports. `/-/healthz` and `/-/preview` are open, the rest is for
 * callers who prove who they are (`auth.ts`). Every error is JSON with a code of `config/error-codes.ts`.
 */
import type { Context } from 'hono'
// the smallest of its routers: what is not admin does not pass through it
import { Hono } from 'hono/tiny'
import { bodyLimit } from 'hono/body-limit'
import * as v from 'valibot'
import { CONTENT_TYPE } from '../observe/index.ts'
import {
  applyRequestSchema,
  promoteRequestSchema,
  rollbackRequestSchema,
} from '../config/apply/apply-request.ts'
import type { ApplyResult, WriteRequest } from '../config/apply/apply-request.ts'
import { adminError } from './admin-error.ts'
import { type AdminEnv, type AuthOptions, requireCaller } from './auth.ts'
import { explain } from './explain.ts'
import type { AdminPorts } from './ports.ts'
import { previewPageRoute, previewRoute } from './preview.ts'
import { reportRoute } from './reports.ts'
import { rolloutRoutes } from './rollouts.ts'

/** Less than the 25 MiB a value in KV may have. */
const MAX_BODY_BYTES = 20 * 1024 * 1024

export interface AdminOptions extends AuthOptions {
  readonly ports: AdminPorts
}

/** Makes the app that answers every path under `/-/`. */
export function adminApi({ ports, ...auth }: AdminOptions): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>().basePath('/-')

  app.get('/healthz', (c) => c.json({ status: 'ok' }))

  reportRoute(app, ports, auth)
  previewPageRoute(app, ports)

  app.use(requireCaller(auth))

  app.get('/status', async (c) => c.json(await ports.status(scopeOf(c))))

  app.get('/metrics', async (c) =>
    c.body(await ports.metrics(scopeOf(c), c.req.query('node')), 200, {
      'content-type': CONTENT_TYPE,
    }),
  )

  app.post('/refresh', async (c) => c.json(await ports.refresh(scopeOf(c))))

  app.get('/history', async (c) => c.json(await ports.history()))

  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c) => adminError(c, 413, 'admin.body_too_large', 'the body is too large'),
  })
  app.on(['GET', 'POST'], '/explain', limit, (c) => explain(c, ports, scopeOf(c)))
  app.post('/apply', limit, (c) =>
    change(c, ports, applyRequestSchema, (request) => ports.apply(request)),
  )
  app.post('/rollback', limit, (c) =>
    change(c, ports, rollbackRequestSchema, (request) => ports.rollback(request)),
  )

  app.post('/rollouts/promote', (c) =>
    change(c, ports, promoteRequestSchema, (request) => ports.promote(request)),
  )
  previewRoute(app, ports, scopeOf)
  rolloutRoutes(app, ports)

  // A route of its own and not `notFound`, which a mounted app does not bring along.
  app.all('*', (c) =>
    adminError(c, 404, 'admin.not_found', `there is no ${c.req.method} ${c.req.path}`),
  )

  app.onError((error, c) => {
    console.error(`admin.failed ${c.req.method} ${c.req.path}: ${error.message}`)
    return adminError(c, 500, 'admin.failed', 'the gateway failed to answer')
  })

  return app
}

/** Reads what is to change and hands it to the one writer. */
async function change<Request extends WriteRequest>(
  c: Context<AdminEnv>,
  ports: AdminPorts,
  schema: v.GenericSchema<unknown, Request>,
  write: (request: Request) => Promise<ApplyResult>,
): Promise<Response> {
  const body: unknown = await c.req.json().catch(() => undefined)
  const parsed = v.safeParse(schema, body)
  if (!parsed.success) {
    const [issue] = parsed.issues
    const where = v.getDotPath(issue) ?? 'the body'
    return adminError(c, 400, 'config.request_invalid', `${where}: ${issue.message}`)
  }
  // who it is by Access is known; who it is by a token is what the client says
  const by = c.get('caller').name ?? parsed.output.by
  return answerApply(c, ports, await write({ ...parsed.output, by }))
}

async function answerApply(
  c: Context,
  { entryOf }: Pick<AdminPorts, 'entryOf'>,
  result: ApplyResult,
): Promise<Response> {
  if (result.result === 'conflict') {
    const message = `revision ${result.current} is active, the change was made for another one`
    return adminError(c, 409, 'apply.conflict', message, result)
  }
  if (result.result === 'refused') {
    const first = result.problems.find((problem) => problem.severity === 'error')
    const code = first?.code ?? 'plugin.preflight_refused'
    const message = first?.message ?? 'a plugin did not start; nothing was written'
    return adminError(c, 422, code, message, result, await entryOf?.(code))
  }
  if (result.result === 'failed') {
    const { code, message } = result
    return adminError(c, 503, code, message, result, await entryOf?.(code))
  }
  return c.json(result)
}

/** A request outside Workers (a test) has no execution context; its background work is just started. */
function scopeOf(c: Context): { waitUntil(promise: Promise<unknown>): void } {
  try {
    return c.executionCtx
  } catch {
    return { waitUntil: () => undefined }
  }
}
