/** What this node is and what it gives to plugins, from its variables and secrets. */
import type { NodeFacts } from '../config/compile/plugin-conditions.ts'
import type { GatewayNode } from '../gateway/index.ts'
import { type Env, listed, nodeLabels, rolloutSecret } from './env.ts'

/** Never given to a plugin, whatever is listed. */
const OWN_SECRETS: ReadonlySet<string> = new Set([
  'ADMIN_TOKEN',
  'ADMIN_READ_TOKEN',
  'HUB_TOKEN',
  'ROLLOUT_SECRET',
  'REPORT_TOKENS',
])

/** What Istio's policies for an ingress gateway select; `NODE_LABELS` may say otherwise. */
const INGRESS = { istio: 'ingressgateway' }

/** `ALLOWED_HOST_ENV`: the variables and secrets that plugins may be given. */
function allowedHostEnv(env: Env): readonly string[] {
  return listed(env.ALLOWED_HOST_ENV).filter((name) => !OWN_SECRETS.has(name))
}

/** The node as a gateway needs it. */
export function gatewayNode(env: Env): GatewayNode {
  const allowed = new Set(allowedHostEnv(env))
  const variables = env as unknown as Readonly<Record<string, unknown>>
  return {
    labels: { ...INGRESS, ...nodeLabels(env) },
    hostEnv(name) {
      const value = allowed.has(name) ? variables[name] : undefined
      return typeof value === 'string' ? value : undefined
    },
  }
}

/** The node as a compilation is told of it: names alone. */
export function nodeFacts(env: Env): NodeFacts {
  return {
    labels: gatewayNode(env).labels,
    hostEnv: allowedHostEnv(env),
    issuesKeys: rolloutSecret(env) !== undefined,
  }
}
