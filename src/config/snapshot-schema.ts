/**
 * The shape of a snapshot as valibot checks it when a gateway reads one from its store. Strict: a
 * member this Postern does not know might be one that restricts a plugin, so it is refused, not
 * skipped. References inside the snapshot are checked as well.
 */
import * as v from 'valibot'
import { FAIL_STRATEGIES, LOG_ONLY_CALLOUTS, PHASES, SNAPSHOT_SCHEMA } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'
import { sha256Text } from './text-field.ts'
import { rolloutSchema } from './snapshot-rollout-schema.ts'
import { gatewaySchema, routeSchema, upstreamSchema } from './snapshot-route-schema.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const percent = v.pipe(v.number(), v.minValue(0), v.maxValue(100))

/** What a vm of a plugin is started with; see last-good.ts. */
const version = {
  module: sha256Text,
  configuration: v.string(),
  rootId: v.string(),
  env: v.array(v.union([v.strictTuple([v.string(), v.string()]), v.strictTuple([v.string()])])),
  vmId: v.string(),
  shareVm: v.boolean(),
  vmConfiguration: v.string(),
  limits: v.strictObject({
    bodyBytes: v.exactOptional(count),
    calloutsPerRequest: v.exactOptional(count),
    pauseMs: v.exactOptional(count),
    logLinesPerSecond: v.exactOptional(count),
  }),
  allowOnHeadersStopIteration: v.boolean(),
}
const capabilities = v.array(v.string())

const lastGood = v.strictObject({
  module: version.module,
  configuration: version.configuration,
  rootId: v.exactOptional(version.rootId),
  env: v.exactOptional(version.env),
  vmId: v.exactOptional(version.vmId),
  shareVm: v.exactOptional(version.shareVm),
  vmConfiguration: v.exactOptional(version.vmConfiguration),
  allowedCapabilities: v.exactOptional(v.nullable(capabilities)),
  limits: v.exactOptional(version.limits),
  allowOnHeadersStopIteration: v.exactOptional(version.allowOnHeadersStopIteration),
})

const plugin = v.strictObject({
  ...version,
  id: v.string(),
  name: v.string(),
  namespace: v.string(),
  moduleName: v.exactOptional(v.string()),
  moduleVersion: v.exactOptional(v.string()),
  phase: v.picklist(PHASES),
  priority: v.pipe(v.number(), v.safeInteger()),
  failStrategy: v.picklist(FAIL_STRATEGIES),
  selector: v.exactOptional(v.record(v.string(), v.string())),
  ports: v.exactOptional(v.array(count)),
  allowedCapabilities: v.exactOptional(capabilities),
  upstreams: v.exactOptional(v.array(v.string())),
  mode: v.exactOptional(v.literal('log-only')),
  logOnly: v.exactOptional(v.strictObject({ callouts: v.picklist(LOG_ONLY_CALLOUTS) })),
  failOpenBudget: v.exactOptional(v.strictObject({ percent, minimum: count })),
  decisions: v.exactOptional(v.strictObject({ sampling: percent, mask: v.array(v.string()) })),
  singleton: v.exactOptional(v.literal(true)),
  lastGood: v.exactOptional(v.pipe(v.array(lastGood), v.minLength(1))),
})

/** What is wrong with the references of a snapshot whose shape is right; empty when nothing is. */
function danglingReferences(snapshot: Snapshot): string[] {
  const wrong: string[] = []
  const plugins = (ids: readonly string[], where: string): void => {
    for (const id of ids) {
      if (!Object.hasOwn(snapshot.plugins, id)) wrong.push(`${where} names plugin ${id}`)
    }
  }
  const upstreams = (names: readonly string[], where: string): void => {
    for (const name of names) {
      if (!Object.hasOwn(snapshot.upstreams, name)) wrong.push(`${where} names upstream ${name}`)
    }
  }
  plugins(snapshot.gatewayPlugins, 'gatewayPlugins')
  const gateways = new Set<string>()
  for (const { name, namespace, plugins: chain } of snapshot.gateways) {
    gateways.add(`${namespace}/${name}`)
    plugins(chain, `gateway ${namespace}/${name}`)
  }
  for (const { name, namespace, gateway, rules, plugins: chain } of snapshot.routes) {
    const where = `route ${namespace}/${name}`
    if (!gateways.has(gateway)) wrong.push(`${where} names gateway ${gateway}`)
    plugins(chain, where)
    for (const { backends, mirrors = [] } of rules) {
      upstreams(
        [...backends, ...mirrors].map(({ upstream }) => upstream),
        where,
      )
    }
  }
  for (const { id, plugin: of } of snapshot.rollouts ?? []) plugins([of], `rollout ${id}`)
  for (const one of Object.values(snapshot.plugins)) {
    upstreams(one.upstreams ?? [], `plugin ${one.id}`)
  }
  return wrong
}

export const snapshotSchema: v.GenericSchema<unknown, Snapshot> = v.pipe(
  v.strictObject({
    schema: v.literal(SNAPSHOT_SCHEMA),
    gateways: v.array(gatewaySchema),
    routes: v.array(routeSchema),
    gatewayPlugins: v.array(v.string()),
    plugins: v.record(v.string(), plugin),
    upstreams: v.record(v.string(), upstreamSchema),
    rollouts: v.exactOptional(v.array(rolloutSchema)),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    for (const message of danglingReferences(dataset.value)) {
      addIssue({ message: `${message}, which is not in the snapshot` })
    }
  }),
)
