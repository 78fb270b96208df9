/**
 * The shape of a snapshot's gateways, routes and upstreams (`snapshot-route.ts`), as a gateway checks
 * it when it reads one. Strict, as all of `snapshot-schema.ts`.
 */
import * as v from 'valibot'
import type {
  RouteMatch,
  SnapshotGateway,
  SnapshotRoute,
  SnapshotUpstream,
} from './snapshot-route.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const texts = v.array(v.string())

const valueMatch = v.strictObject({
  name: v.string(),
  value: v.string(),
  type: v.exactOptional(v.literal('RegularExpression')),
})

/** What holds for a request, of rules and rollouts. */
export const routeMatchSchema: v.GenericSchema<unknown, RouteMatch> = v.strictObject({
  path: v.strictObject({
    type: v.picklist(['Exact', 'PathPrefix', 'RegularExpression']),
    value: v.string(),
  }),
  method: v.exactOptional(v.string()),
  headers: v.exactOptional(v.array(valueMatch)),
  query: v.exactOptional(v.array(valueMatch)),
})

const lines = v.exactOptional(v.array(v.strictTuple([v.string(), v.string()])))
const edits = v.exactOptional(
  v.strictObject({ set: lines, add: lines, remove: v.exactOptional(texts) }),
)
const pathEdit = v.exactOptional(
  v.strictObject({ type: v.picklist(['full', 'prefix']), value: v.string() }),
)
const retry = v.exactOptional(
  v.strictObject({ attempts: count, codes: v.array(count), backoffMs: count }),
)

const rule = v.strictObject({
  name: v.exactOptional(v.string()),
  matches: v.pipe(v.array(routeMatchSchema), v.minLength(1)),
  backends: v.array(
    v.strictObject({
      upstream: v.string(),
      weight: count,
      requestHeaders: edits,
      responseHeaders: edits,
    }),
  ),
  requestHeaders: edits,
  responseHeaders: edits,
  redirect: v.exactOptional(
    v.strictObject({
      scheme: v.exactOptional(v.picklist(['http', 'https'])),
      hostname: v.exactOptional(v.string()),
      port: v.exactOptional(count),
      path: pathEdit,
      status: count,
    }),
  ),
  rewrite: v.exactOptional(
    v.strictObject({ hostname: v.exactOptional(v.string()), path: pathEdit }),
  ),
  mirrors: v.exactOptional(
    v.array(v.strictObject({ upstream: v.string(), numerator: count, denominator: count })),
  ),
  requestTimeoutMs: v.exactOptional(count),
  backendTimeoutMs: v.exactOptional(count),
  retry,
})

export const routeSchema: v.GenericSchema<unknown, SnapshotRoute> = v.strictObject({
  name: v.string(),
  namespace: v.string(),
  gateway: v.string(),
  listeners: v.exactOptional(texts),
  hostnames: texts,
  rules: v.array(rule),
  plugins: texts,
})

export const gatewaySchema: v.GenericSchema<unknown, SnapshotGateway> = v.strictObject({
  name: v.string(),
  namespace: v.string(),
  listeners: v.array(
    v.strictObject({
      name: v.string(),
      hostname: v.exactOptional(v.string()),
      port: v.exactOptional(count),
      protocol: v.exactOptional(v.picklist(['HTTP', 'HTTPS'])),
    }),
  ),
  plugins: texts,
})

export const upstreamSchema: v.GenericSchema<unknown, SnapshotUpstream> = v.strictObject({
  name: v.string(),
  url: v.exactOptional(v.string()),
  service: v.exactOptional(v.string()),
  aliases: texts,
  timeoutMs: count,
  retry,
  outlier: v.exactOptional(
    v.strictObject({
      consecutive5xx: v.exactOptional(count),
      consecutiveGatewayErrors: v.exactOptional(count),
      baseEjectionMs: count,
      maxEjectionMs: count,
    }),
  ),
  allowedPaths: v.exactOptional(texts),
})
