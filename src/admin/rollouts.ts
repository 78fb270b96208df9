/** `/-/rollouts`: what runs of rollouts, and what an operator does to them. */
import type { Context, Hono } from 'hono'
import * as v from 'valibot'
import { adminError } from './admin-error.ts'
import type { AdminEnv } from './auth.ts'
import type { AdminPorts } from './ports.ts'

const ACTIONS = ['start', 'pause', 'resume', 'abort'] as const

const actionSchema = v.strictObject({
  rollout: v.pipe(v.string(), v.maxLength(400)),
  action: v.picklist(ACTIONS),
  by: v.optional(v.pipe(v.string(), v.maxLength(200)), ''),
})

const killSchema = v.strictObject({
  plugin: v.pipe(v.string(), v.maxLength(400)),
  selector: v.exactOptional(v.record(v.string(), v.string())),
  on: v.boolean(),
  by: v.optional(v.pipe(v.string(), v.maxLength(200)), ''),
})

const STATUS = {
  'rollout.unknown': 404,
  'rollout.not_applied': 404,
  'rollout.not_complete': 409,
  'rollout.wrong_phase': 409,
  'rollout.nothing_to_do': 409,
  'rollout.unknown_plugin': 404,
  'rollout.not_killed': 409,
} as const

/** Adds the routes to the admin API, behind its check of who calls. */
export function rolloutRoutes(app: Hono<AdminEnv>, { rollouts }: AdminPorts): void {
  if (rollouts === undefined) {
    app.all('/rollouts/*', (c) => off(c))
    app.all('/rollouts', (c) => off(c))
    return
  }
  app.get('/rollouts', async (c) => c.json(await rollouts.read()))

  app.post('/rollouts', async (c) => {
    const parsed = v.safeParse(actionSchema, await bodyOf(c))
    if (!parsed.success) return invalid(c, parsed.issues[0])
    const { rollout, action, by } = parsed.output
    return answered(c, await rollouts.act(rollout, action, whoDoes(c, by)))
  })

  app.post('/rollouts/kill', async (c) => {
    const parsed = v.safeParse(killSchema, await bodyOf(c))
    if (!parsed.success) return invalid(c, parsed.issues[0])
    const { on, by, ...kill } = parsed.output
    return answered(c, await rollouts.kill(kill, on, whoDoes(c, by)))
  })
}

/** Who it is by Access is known; who it is by a token is what the client says. */
function whoDoes(c: Context<AdminEnv>, by: string): string {
  return c.get('caller').name ?? (by === '' ? 'somebody unnamed' : by)
}

function bodyOf(c: Context): Promise<unknown> {
  return c.req.json().catch(() => undefined)
}

function invalid(c: Context, issue: v.BaseIssue<unknown>): Response {
  const where = v.getDotPath(issue) ?? 'the body'
  return adminError(c, 400, 'config.request_invalid', `${where}: ${issue.message}`)
}

function answered(
  c: Context,
  answer: Awaited<ReturnType<NonNullable<AdminPorts['rollouts']>['act']>>,
): Response {
  if (!('code' in answer)) return c.json(answer)
  return adminError(c, STATUS[answer.code], answer.code, answer.message)
}

function off(c: Context): Response {
  return adminError(
    c,
    503,
    'rollout.off',
    'no rollouts are led here: there is no binding ROLLOUTS, or HUB_URL names who leads',
  )
}
