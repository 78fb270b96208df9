/**
 * Resources that declare plugins, and PluginPolicies → the snapshot's plugins, in the order of the
 * chain, and where each runs. Resolves modules, joins each plugin with its policy and fills in the
 * defaults.
 */
import { compileModes } from './compile-modes.ts'
import type { CompiledUpstreams } from './compile-upstreams.ts'
import { type DeclaredPlugin, declaredPlugins } from './declared-plugin.ts'
import { lastGoodOf } from '../last-good.ts'
import type { ModuleCatalog } from './module-catalog.ts'
import { resolveModule } from './module-catalog.ts'
import { compileEnv, compilePorts, compileSelector, type NodeFacts } from './plugin-conditions.ts'
import { comparePlugins } from './plugin-order.ts'
import { assignPolicies } from './plugin-policies.ts'
import { type Attachable, keyOf, type Reach, reachOf } from './plugin-reach.ts'
import type { Problem } from '../problem.ts'
import { type Report, reportInto } from './report.ts'
import type { PluginResource } from '../resources/kinds.ts'
import type { PluginPolicy } from '../resources/plugin-policy.ts'
import { resourceKey } from '../resources/resource-key.ts'
import type { SnapshotPlugin } from '../snapshot.ts'

export interface CompiledPlugin {
  readonly plugin: SnapshotPlugin
  /** Whether it is part of a chain. */
  readonly runsAt: Reach
}

export interface PluginsInput {
  readonly plugins: readonly PluginResource[]
  readonly policies: readonly PluginPolicy[]
  readonly attachable: Attachable
  readonly upstreams: CompiledUpstreams
  readonly catalog: ModuleCatalog
  readonly node: NodeFacts
  /** The plugins that run now, for `lastGood`. */
  readonly previous: Readonly<Record<string, SnapshotPlugin>>
}

/** @returns the plugins in request order, without those in which a problem was found */
export function compilePlugins(input: PluginsInput): {
  readonly plugins: readonly CompiledPlugin[]
  readonly problems: readonly Problem[]
} {
  const problems: Problem[] = []
  const report = reportInto(problems)
  const declared = input.plugins
    .flatMap((resource) => declaredPlugins(resource))
    .sort(comparePlugins)
  checkIds(declared, report)
  const policies = assignPolicies(input.policies, declared, input.upstreams, report)
  const overridden = overriddenRoutes(input.plugins, report)
  const plugins = declared.flatMap((one): CompiledPlugin[] => {
    const plugin = compilePlugin(one, policies.get(one.id), input, report)
    const own = one.resource.kind === 'EnvoyExtensionPolicy' ? overridden : NONE
    const reach = reachOf(one, input.attachable, own, report)
    if (plugin === undefined) return []
    const isInNone = plugin.singleton === true || plugin.ports?.length === 0
    return [{ plugin, runsAt: isInNone ? () => false : reach }]
  })
  return { plugins, problems }
}

const NONE: ReadonlySet<string> = new Set()

/** Names with dots, and kinds of one name, may come to the same id. */
function checkIds(declared: readonly DeclaredPlugin[], report: Report): void {
  const owners = new Map<string, DeclaredPlugin>()
  for (const one of declared) {
    const other = owners.get(one.id)
    owners.set(one.id, other ?? one)
    if (other === undefined) continue
    const message = `${resourceKey(other.resource)} is the plugin ${one.id} already; keep one of the two, or rename it`
    const path = one.entry === undefined ? ['metadata', 'name'] : ['spec', 'wasm', one.index]
    report({ code: 'config.duplicate', path, message }, one.resource)
  }
}

/**
 * Envoy Gateway: of the policies for a route and for its Gateway the route's alone counts, also one
 * without plugins; and a target has one policy.
 */
function overriddenRoutes(
  resources: readonly PluginResource[],
  report: Report,
): ReadonlySet<string> {
  const owners = new Map<string, PluginResource>()
  for (const resource of resources) {
    if (resource.kind !== 'EnvoyExtensionPolicy') continue
    const { namespace = 'default' } = resource.metadata
    const { targetRef, targetRefs = [] } = resource.spec
    for (const [index, target] of (targetRef ? [targetRef] : targetRefs).entries()) {
      const key = `${target.kind} ${keyOf({ namespace, name: target.name })}`
      const other = owners.get(key)
      owners.set(key, other ?? resource)
      if (other === undefined) continue
      const path = targetRef ? ['spec', 'targetRef'] : ['spec', 'targetRefs', index]
      const message = `${resourceKey(other)} is for ${key} already; write its plugins into one policy`
      report({ code: 'config.duplicate', path, message }, resource)
    }
  }
  const routes = [...owners.keys()].filter((key) => key.startsWith('HTTPRoute '))
  return new Set(routes.map((key) => key.slice('HTTPRoute '.length)))
}

function compilePlugin(
  declared: DeclaredPlugin,
  policy: PluginPolicy | undefined,
  input: PluginsInput,
  report: Report,
): SnapshotPlugin | undefined {
  const { resource, id, name, namespace, rootId, configuration, failStrategy } = declared
  const { phase, priority } = declared
  const env = compileEnv(declared, input.node, report)
  const selector = compileSelector(declared, input.node, report)
  const ports = compilePorts(declared, report)
  const resolved = resolveModule(declared.url, declared.sha256, input.catalog)
  if ('message' in resolved) {
    const { code, field, message } = resolved
    report({ code, path: [...declared.source, field], message }, resource)
    return undefined
  }
  const { module } = resolved
  const extra = policy?.spec
  if (extra?.singleton === true && declared.targets !== undefined) {
    const message = 'has no effect here: a singleton is on no route'
    const path = declared.targets[0]?.path.slice(0, 2) ?? ['spec', 'targetRefs']
    report({ code: 'config.no_effect', path, message }, resource)
  }
  const allowed = extra?.upstreams?.map((one) => input.upstreams.names.get(one) ?? one)
  const plugin = {
    id,
    name,
    namespace,
    module: module.sha256,
    moduleName: module.name,
    moduleVersion: module.version,
    rootId,
    phase,
    priority,
    configuration,
    failStrategy,
    env,
    ...(selector === undefined ? {} : { selector }),
    ...(ports === undefined ? {} : { ports }),
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
    ...compileModes(declared, policy, report),
  } satisfies SnapshotPlugin
  const lastGood = lastGoodOf(plugin, input.previous[id], input.catalog)
  return lastGood === undefined ? plugin : { ...plugin, lastGood }
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
