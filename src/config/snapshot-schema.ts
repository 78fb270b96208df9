/**
 * The shape of a snapshot as valibot checks it when a gateway reads one from its store. Strict: a
 * member this Postern does not know might be one that restricts a plugin, so it is refused, not
 * skipped. References inside the snapshot are checked as well.
 */
import * as v from 'valibot'
import { FAIL_STRATEGIES, LOG_ONLY_CALLOUTS, PHASES } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'
import { sha256Text } from './resources/fields.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const percent = v.pipe(v.number(), v.minValue(0), v.maxValue(100))
const lastGood = v.strictObject({ module: sha256Text, configuration: v.string() })

const plugin = v.strictObject({
  id: v.string(),
  name: v.string(),
  namespace: v.string(),
  module: sha256Text,
  moduleName: v.exactOptional(v.string()),
  moduleVersion: v.exactOptional(v.string()),
  rootId: v.string(),
  phase: v.picklist(PHASES),
  priority: v.pipe(v.number(), v.safeInteger()),
  configuration: v.string(),
  failStrategy: v.picklist(FAIL_STRATEGIES),
  env: v.array(v.strictTuple([v.string(), v.string()])),
  vmId: v.string(),
  shareVm: v.boolean(),
  vmConfiguration: v.string(),
  allowedCapabilities: v.exactOptional(v.array(v.string())),
  limits: v.strictObject({
    bodyBytes: v.exactOptional(count),
    calloutsPerRequest: v.exactOptional(count),
    pauseMs: v.exactOptional(count),
  }),
  upstreams: v.exactOptional(v.array(v.string())),
  allowOnHeadersStopIteration: v.boolean(),
  mode: v.exactOptional(v.literal('log-only')),
  logOnly: v.exactOptional(v.strictObject({ callouts: v.picklist(LOG_ONLY_CALLOUTS) })),
  failOpenBudget: v.exactOptional(v.strictObject({ percent, minimum: count })),
  decisions: v.exactOptional(v.strictObject({ sampling: percent, mask: v.array(v.string()) })),
  singleton: v.exactOptional(v.literal(true)),
  lastGood: v.exactOptional(lastGood),
})

const match = v.strictObject({
  path: v.strictObject({
    type: v.picklist(['Exact', 'PathPrefix']),
    value: v.pipe(v.string(), v.startsWith('/')),
  }),
  method: v.exactOptional(v.string()),
  headers: v.exactOptional(v.array(v.strictObject({ name: v.string(), value: v.string() }))),
})

const route = v.strictObject({
  name: v.string(),
  namespace: v.string(),
  hostnames: v.array(v.string()),
  rules: v.array(
    v.strictObject({ matches: v.pipe(v.array(match), v.minLength(1)), upstream: v.string() }),
  ),
  plugins: v.array(v.string()),
})

const upstream = v.strictObject({
  name: v.string(),
  url: v.exactOptional(v.string()),
  service: v.exactOptional(v.string()),
  aliases: v.array(v.string()),
  timeoutMs: count,
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
  for (const { name, namespace, rules, plugins: chain } of snapshot.routes) {
    const where = `route ${namespace}/${name}`
    plugins(chain, where)
    upstreams(
      rules.map((rule) => rule.upstream),
      where,
    )
  }
  for (const one of Object.values(snapshot.plugins)) {
    upstreams(one.upstreams ?? [], `plugin ${one.id}`)
  }
  return wrong
}

export const snapshotSchema: v.GenericSchema<unknown, Snapshot> = v.pipe(
  v.strictObject({
    schema: v.literal(1),
    routes: v.array(route),
    gatewayPlugins: v.array(v.string()),
    plugins: v.record(v.string(), plugin),
    upstreams: v.record(v.string(), upstream),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    for (const message of danglingReferences(dataset.value)) {
      addIssue({ message: `${message}, which is not in the snapshot` })
    }
  }),
)
