/**
 * WasmPlugin and PluginPolicy resources → the snapshot's plugins and what each is for. Resolves
 * modules, joins each plugin with its policy and fills in the defaults.
 */
import { canonicalJson } from '../canonical.ts'
import type { CompiledUpstreams } from './compile-upstreams.ts'
import type { ModuleCatalog } from './module-catalog.ts'
import { resolveModule } from './module-catalog.ts'
import { nearest } from '../nearest.ts'
import type { FieldPath, Problem } from '../problem.ts'
import { type Report, reportInto } from './report.ts'
import { compileModes } from './compile-modes.ts'
import type { HttpRoute } from '../resources/http-route.ts'
import { DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import type { PluginPolicy } from '../resources/plugin-policy.ts'
import { resourceKey } from '../resources/resource-key.ts'
import type { WasmPlugin } from '../resources/wasm-plugin.ts'
import type { LastGood, SnapshotPlugin } from '../snapshot.ts'

export interface CompiledPlugin {
  readonly plugin: SnapshotPlugin
  /** The routes it is for, as `namespace/name`; undefined: the whole gateway. */
  readonly routes: ReadonlySet<string> | undefined
}

export interface PluginsInput {
  readonly plugins: readonly WasmPlugin[]
  readonly policies: readonly PluginPolicy[]
  readonly routes: readonly HttpRoute[]
  readonly upstreams: CompiledUpstreams
  readonly catalog: ModuleCatalog
  /** The plugins that run now, for `lastGood`. */
  readonly previous: Readonly<Record<string, SnapshotPlugin>>
}

export function compilePlugins(input: PluginsInput): {
  readonly plugins: readonly CompiledPlugin[]
  readonly problems: readonly Problem[]
} {
  const problems: Problem[] = []
  const report = reportInto(problems)
  const policies = assignPolicies(input, report)
  const plugins = input.plugins.flatMap((resource) => {
    const policy = policies.get(pluginId(resource))
    const plugin = compilePlugin(resource, policy, input, report)
    const routes = targetRoutes(resource, input.routes, report)
    return plugin === undefined ? [] : [{ plugin, routes }]
  })
  return { plugins, problems }
}

function namespaceOf(resource: WasmPlugin | PluginPolicy | HttpRoute): string {
  return resource.metadata.namespace ?? DEFAULT_NAMESPACE
}

/** Istio's name for the plugin in Envoy; a namespace has no dot, so two plugins never share one. */
function pluginId(resource: WasmPlugin): string {
  return `${namespaceOf(resource)}.${resource.metadata.name}`
}

function assignPolicies(input: PluginsInput, report: Report): ReadonlyMap<string, PluginPolicy> {
  const known = new Set(input.plugins.map((plugin) => pluginId(plugin)))
  const policies = new Map<string, PluginPolicy>()
  for (const policy of input.policies) {
    for (const [index, target] of policy.spec.targetRefs.entries()) {
      const id = `${namespaceOf(policy)}.${target.name}`
      const path = ['spec', 'targetRefs', index, 'name']
      const other = policies.get(id)
      if (!known.has(id)) {
        const message = missing('WasmPlugin', target.name, namespaceOf(policy), input.plugins)
        report({ code: 'config.dangling_reference', path, message }, policy)
      } else if (other === undefined) {
        policies.set(id, policy)
      } else {
        const message = `${resourceKey(other)} is for this plugin already; a plugin has one policy`
        report({ code: 'config.duplicate', path, message }, policy)
      }
    }
    checkPolicyUpstreams(policy, input.upstreams, report)
  }
  return policies
}

function checkPolicyUpstreams(
  policy: PluginPolicy,
  upstreams: CompiledUpstreams,
  report: Report,
): void {
  for (const [index, name] of (policy.spec.upstreams ?? []).entries()) {
    if (upstreams.names.has(name)) continue
    const near = nearest(name, upstreams.names.keys())
    const message = `there is no Upstream ${name}; ${near === undefined ? 'add it' : `did you mean ${near}?`}`
    const path = ['spec', 'upstreams', index]
    report({ code: 'config.dangling_reference', path, message }, policy)
  }
}

function compilePlugin(
  resource: WasmPlugin,
  policy: PluginPolicy | undefined,
  input: PluginsInput,
  report: Report,
): SnapshotPlugin | undefined {
  const { spec } = resource
  const id = pluginId(resource)
  const env = compileEnv(resource, report)
  const resolved = resolveModule(spec.url, spec.sha256, input.catalog)
  if ('message' in resolved) {
    const { code, field, message } = resolved
    report({ code, path: ['spec', field], message }, resource)
    return undefined
  }
  const { module } = resolved
  const extra = policy?.spec
  if (extra?.singleton === true && spec.targetRefs !== undefined) {
    const message = 'has no effect here: a singleton is on no route'
    report({ code: 'config.no_effect', path: ['spec', 'targetRefs'], message }, resource)
  }
  const config = spec.pluginConfig ?? {}
  // As Istio does: an empty configuration is no configuration.
  const configuration = Object.keys(config).length === 0 ? '' : canonicalJson(config)
  const lastGood = lastGoodOf(input.previous[id], module.sha256, configuration)
  const allowed = extra?.upstreams?.map((name) => input.upstreams.names.get(name) ?? name)
  return {
    id,
    name: resource.metadata.name,
    namespace: namespaceOf(resource),
    module: module.sha256,
    moduleName: module.name,
    moduleVersion: module.version,
    rootId: spec.pluginName ?? '',
    phase: spec.phase ?? 'UNSPECIFIED_PHASE',
    priority: spec.priority ?? 0,
    configuration,
    failStrategy: spec.failStrategy ?? 'FAIL_CLOSE',
    env,
    vmId: extra?.vmId ?? '',
    shareVm: extra?.shareVm ?? false,
    vmConfiguration: extra?.vmConfiguration ?? '',
    ...(extra?.allowedCapabilities === undefined
      ? {}
      : { allowedCapabilities: unique(extra.allowedCapabilities) }),
    limits: extra?.limits ?? {},
    ...(allowed === undefined ? {} : { upstreams: unique(allowed) }),
    allowOnHeadersStopIteration: extra?.allowOnHeadersStopIteration ?? false,
    ...(extra?.singleton === true ? { singleton: true } : {}),
    ...compileModes(resource, policy, report),
    ...(lastGood === undefined ? {} : { lastGood }),
  }
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}

function compileEnv(resource: WasmPlugin, report: Report): SnapshotPlugin['env'] {
  const env = new Map<string, string>()
  for (const [index, { name, value }] of (resource.spec.vmConfig?.env ?? []).entries()) {
    if (env.has(name)) {
      const path = ['spec', 'vmConfig', 'env', index, 'name']
      const message = `the variable ${name} is set twice`
      report({ code: 'config.duplicate', path, message }, resource)
    }
    env.set(name, value ?? '')
  }
  return [...env].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** What the plugin ran before this version; what that version itself carried when nothing changed. */
function lastGoodOf(
  before: SnapshotPlugin | undefined,
  module: string,
  configuration: string,
): LastGood | undefined {
  if (before === undefined) return undefined
  if (before.module === module && before.configuration === configuration) return before.lastGood
  return { module: before.module, configuration: before.configuration }
}

function targetRoutes(
  resource: WasmPlugin,
  routes: readonly HttpRoute[],
  report: Report,
): ReadonlySet<string> | undefined {
  const targets = resource.spec.targetRefs ?? []
  const own = namespaceOf(resource)
  const found = new Set<string>()
  for (const [index, target] of targets.entries()) {
    const path: FieldPath = ['spec', 'targetRefs', index]
    if (target.namespace !== undefined && target.namespace !== own) {
      const message = `another namespace is outside the supported subset: write the plugin in ${target.namespace}`
      report({ code: 'config.unsupported', path: [...path, 'namespace'], message }, resource)
    } else if (target.kind === 'Gateway') {
      const message = `has no effect here: there is no Gateway ${target.name}; the plugin runs on the default Gateway`
      report({ code: 'config.no_effect', path: [...path, 'name'], message }, resource)
    } else if (
      routes.some((route) => route.metadata.name === target.name && namespaceOf(route) === own)
    ) {
      found.add(`${own}/${target.name}`)
    } else {
      const message = missing('HTTPRoute', target.name, own, routes)
      report({ code: 'config.dangling_reference', path: [...path, 'name'], message }, resource)
    }
  }
  const whole = targets.length === 0 || targets.some((target) => target.kind === 'Gateway')
  return whole ? undefined : found
}

function missing(
  kind: string,
  name: string,
  namespace: string,
  known: readonly (WasmPlugin | HttpRoute)[],
): string {
  const names = known
    .filter((one) => namespaceOf(one) === namespace)
    .map((one) => one.metadata.name)
  const near = nearest(name, names)
  const hint = near === undefined ? 'add it' : `did you mean ${near}?`
  return `there is no ${kind} ${name} in namespace ${namespace}; ${hint}`
}
