/**
 * What a promotion makes of the resources behind what runs: the plugin gets the module and the
 * configuration of the candidate, its rollout is taken out, everything else stays.
 */
import type { Problem } from '../problem.ts'
import type { Resource } from '../resources/kinds.ts'
import { DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import type { PluginRollout } from '../resources/plugin-rollout.ts'
import type { WasmPlugin } from '../resources/wasm-plugin.ts'
import type { Snapshot } from '../snapshot.ts'
import type { SnapshotRollout } from '../snapshot-rollout.ts'
import type { PromotionLeave } from './apply-request.ts'
import { pluginVersion } from '../plugin-version.ts'

/** @returns the rollout of the snapshot whose candidate may be promoted, or why it is not there */
export async function promotable(
  snapshot: Snapshot | undefined,
  { rollout: id, version }: PromotionLeave,
): Promise<SnapshotRollout | { readonly problems: readonly Problem[] }> {
  const rollout = snapshot?.rollouts?.find((one) => one.id === id)
  if (rollout === undefined) {
    const message = `there is no PluginRollout ${id} in the active revision`
    return { problems: [problem('rollout.not_applied', message)] }
  }
  if ((await pluginVersion(rollout.candidate)) === version) return rollout
  const message = `the candidate of ${id} in the active revision is another one than the one that was started`
  return { problems: [problem('rollout.wrong_phase', message)] }
}

/** @param resources - behind the snapshot that the rollout is of */
export function promoteCandidate(
  resources: readonly Resource[],
  { id, plugin, candidate }: SnapshotRollout,
): { readonly resources: readonly Resource[] } | { readonly problems: readonly Problem[] } {
  const rollout = resources.find((one): one is PluginRollout => isNamed(one, 'PluginRollout', id))
  const declared = resources.find((one): one is WasmPlugin => isNamed(one, 'WasmPlugin', plugin))
  if (rollout === undefined || declared === undefined) {
    const message = `${plugin} is written in another kind than WasmPlugin: write the candidate's url and configuration into it, take the PluginRollout out, and apply`
    return { problems: [problem('config.unsupported', message)] }
  }
  const { url, pluginConfig } = rollout.spec.candidate
  const { spec } = declared
  const promoted: WasmPlugin = {
    ...declared,
    spec: {
      ...spec,
      // pinned: what ran as the candidate is what becomes the plugin
      ...(url !== undefined && { url, sha256: candidate.module }),
      ...(pluginConfig !== undefined && { pluginConfig }),
    },
  }
  const others = resources.filter((one) => one !== rollout)
  return { resources: others.map((one) => (one === declared ? promoted : one)) }
}

/** Whether the plugin is what its candidate was. @returns what is wrong when it is not */
export function notPromoted(snapshot: Snapshot, { plugin, candidate }: SnapshotRollout): Problem[] {
  const now = snapshot.plugins[plugin]
  const { module, configuration } = candidate
  if (now?.module === module && now.configuration === configuration) return []
  const message = `what ${plugin} would become is not its candidate: the gateway was deployed with other modules since`
  return [problem('apply.plan_changed', message)]
}

function isNamed(resource: Resource, kind: Resource['kind'], id: string): boolean {
  const { namespace = DEFAULT_NAMESPACE, name } = resource.metadata
  return resource.kind === kind && `${namespace}.${name}` === id
}

function problem(code: Problem['code'], message: string): Problem {
  return { code, severity: 'error', resource: '', path: [], message }
}
