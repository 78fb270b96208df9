/** Which PluginPolicy is for which plugin, and what is wrong with what policies name. */
import type { CompiledUpstreams } from './compile-upstreams.ts'
import type { DeclaredPlugin } from './declared-plugin.ts'
import { nearest } from '../nearest.ts'
import { missing } from './plugin-reach.ts'
import type { Report } from './report.ts'
import { DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import type { PluginPolicy, PolicyTarget } from '../resources/plugin-policy.ts'
import { resourceKey } from '../resources/resource-key.ts'

/**
 * @param report takes references that lead nowhere, and second policies of a plugin
 * @returns plugin id → its policy
 */
export function assignPolicies(
  policies: readonly PluginPolicy[],
  plugins: readonly DeclaredPlugin[],
  upstreams: CompiledUpstreams,
  report: Report,
): ReadonlyMap<string, PluginPolicy> {
  const assigned = new Map<string, PluginPolicy>()
  for (const policy of policies) {
    const namespace = policy.metadata.namespace ?? DEFAULT_NAMESPACE
    for (const [index, target] of policy.spec.targetRefs.entries()) {
      const path = ['spec', 'targetRefs', index, 'name']
      const meant = plugins.filter((plugin) => isMeant(plugin, target, namespace))
      if (meant.length === 0) {
        const message = missingTarget(target, namespace, plugins)
        report({ code: 'config.dangling_reference', path, message }, policy)
      }
      for (const { id } of meant) {
        const other = assigned.get(id)
        if (other === undefined) {
          assigned.set(id, policy)
          continue
        }
        const message = `${resourceKey(other)} is for this plugin already; a plugin has one policy`
        report({ code: 'config.duplicate', path, message }, policy)
      }
    }
    checkUpstreams(policy, upstreams, report)
  }
  return assigned
}

function isMeant(plugin: DeclaredPlugin, target: PolicyTarget, namespace: string): boolean {
  const { metadata, kind } = plugin.resource
  return (
    kind === target.kind &&
    metadata.name === target.name &&
    plugin.namespace === namespace &&
    (target.sectionName === undefined || target.sectionName === plugin.entry)
  )
}

function missingTarget(
  { kind, name, sectionName }: PolicyTarget,
  namespace: string,
  plugins: readonly DeclaredPlugin[],
): string {
  const ofKind = plugins.filter(({ resource }) => resource.kind === kind)
  const known = ofKind.map((plugin) => ({
    name: plugin.resource.metadata.name,
    namespace: plugin.namespace,
    entry: plugin.entry,
  }))
  const entries = known.filter((one) => one.name === name && one.namespace === namespace)
  if (sectionName === undefined || entries.length === 0) {
    return missing(kind, name, namespace, known)
  }
  const names = entries.flatMap(({ entry }) => entry ?? [])
  const hint =
    names.length === 0 ? 'it has one plugin; leave sectionName out' : `it has ${names.join(', ')}`
  return `${kind} ${name} has no entry ${sectionName}; ${hint}`
}

function checkUpstreams(policy: PluginPolicy, upstreams: CompiledUpstreams, report: Report): void {
  for (const [index, name] of (policy.spec.upstreams ?? []).entries()) {
    if (upstreams.names.has(name)) continue
    const near = nearest(name, upstreams.names.keys())
    const message = `there is no Upstream ${name}; ${near === undefined ? 'add it' : `did you mean ${near}?`}`
    const path = ['spec', 'upstreams', index]
    report({ code: 'config.dangling_reference', path, message }, policy)
  }
}
