/** What the admin API needs, from the gateway of this isolate and the policy object. */
import type { AdminPorts } from '../admin/ports.ts'
import type { CodeEntry } from '../config/error-codes.ts'
import type { Gateway } from '../gateway/index.ts'
import type { Env } from './env.ts'
import { loadControl } from './load-control.ts'
import type { ReportObject } from './report-object.ts'
import { hasHub } from './report-sink.ts'
import type { RolloutObject } from './rollout-object.ts'

export function adminPorts(gateway: Gateway, env: Env): AdminPorts {
  // a stub belongs to the request that made it
  const policy = (): ReturnType<Env['POLICY']['getByName']> => env.POLICY.getByName('policy')
  return {
    status: (scope) => gateway.status(scope),
    refresh: async (scope) => {
      await gateway.refresh(scope)
      return gateway.status(scope)
    },
    metrics: (scope, node) => gateway.metrics(scope, node),
    explain: (request, scope) => gateway.explain(request, scope),
    apply: (request) => policy().apply(request),
    rollback: (request) => policy().rollback(request),
    promote: (request) => policy().promote(request),
    async entryOf(code) {
      const { REFUSAL_CODES } = await loadControl()
      return (REFUSAL_CODES as Readonly<Record<string, CodeEntry>>)[code]
    },
    history: () => policy().history(),
    previews: previewPorts(gateway),
    // whoever has a hub follows it
    rollouts: hasHub(env) ? undefined : env.ROLLOUTS && rolloutPorts(env.ROLLOUTS),
    reports: env.REPORTS && reportPorts(env.REPORTS),
  }
}

/** Batches are looked at by the second module, which the first of them loads. */
function reportPorts(
  objects: DurableObjectNamespace<ReportObject>,
): NonNullable<AdminPorts['reports']> {
  return {
    async take(body) {
      const { parseReport } = await loadControl()
      const parsed = parseReport(body)
      return 'wrong' in parsed ? parsed : objects.getByName('reports').send(parsed.report)
    },
  }
}

function previewPorts(gateway: Gateway): AdminPorts['previews'] {
  const tokens = gateway.previewTokens
  if (tokens === undefined) return undefined
  const read = (token: string): ReturnType<typeof tokens.read> => tokens.read(token, Date.now())
  return {
    issue: async (preview, lifetimeMs, scope) =>
      (await gateway.hasRollout(preview.rollout, scope))
        ? tokens.issue(preview, Date.now(), lifetimeMs)
        : undefined,
    read,
    async page(request) {
      const { previewPage } = await loadControl()
      return previewPage(request, { read })
    },
  }
}

function rolloutPorts(
  objects: DurableObjectNamespace<RolloutObject>,
): NonNullable<AdminPorts['rollouts']> {
  const object = (): DurableObjectStub<RolloutObject> => objects.getByName('rollouts')
  return {
    read: () => object().view(),
    act: (id, action, by) => object().act(id, action, by),
    kill: (kill, on, by) => object().kill(kill, on, by),
  }
}
