/** `GET` and `POST /-/explain`: what would become of a request. */
import type { Context } from 'hono'
import * as v from 'valibot'
import type { RequestScope } from '../config/activation.ts'
import { adminError } from './admin-error.ts'
import { type AdminEnv, refuseWrite } from './auth.ts'
import { explainQuery, explainRequestSchema } from './explain-request.ts'
import type { AdminPorts, NoExplanation } from './ports.ts'

const STATUS: Readonly<Record<NoExplanation['code'], 400 | 404 | 503>> = {
  'config.none': 503,
  'config.request_invalid': 400,
  'explain.revision_unknown': 404,
}

/** Answers it. What leaves the gateway, or shows secrets, is for those who may write. */
export async function explain(
  c: Context<AdminEnv>,
  ports: Pick<AdminPorts, 'explain'>,
  scope: RequestScope,
): Promise<Response> {
  const { method, url } = c.req
  const body: unknown =
    method === 'POST'
      ? await c.req.json().catch(() => undefined)
      : explainQuery(new URL(url).searchParams)
  const parsed = v.safeParse(explainRequestSchema, body)
  if (!parsed.success) {
    const [issue] = parsed.issues
    const where = v.getDotPath(issue) ?? 'the body'
    return adminError(c, 400, 'config.request_invalid', `${where}: ${issue.message}`)
  }
  const { upstream, showSecrets } = parsed.output
  const refused = upstream || showSecrets ? refuseWrite(c) : undefined
  if (refused !== undefined) return refused
  const answer = await ports.explain(parsed.output, scope)
  if ('explanation' in answer) return c.json(answer.explanation)
  return adminError(c, STATUS[answer.code], answer.code, answer.message)
}
