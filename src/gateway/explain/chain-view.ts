/** Which plugins a request runs through, in which state, and why the others are not among them. */
import { candidateName, startable } from '../../config/candidate-plugins.ts'
import type { Refusal } from '../../config/refusals.ts'
import type { PluginId, Snapshot, SnapshotPlugin, SnapshotRoute } from '../../config/snapshot.ts'
import type { Plugin } from '../../proxy-wasm/index.ts'
import type { GatewayNode } from '../node.ts'
import { isSelected } from '../node.ts'
import { runsLastGood } from '../plugin-troubles.ts'
import type { Running } from '../running.ts'
import type { ChainView, SkippedView } from './explanation.ts'

/**
 * @param chain - what the gateway runs the request through
 * @param refusals - of this isolate, which say why a version before goes on
 */
export function chainView(
  running: Running,
  chain: readonly Plugin[],
  refusals: readonly Refusal[],
): ChainView[] {
  const configs = startable(running.snapshot)
  return chain.flatMap((plugin) => {
    const name = nameOf(running, plugin)
    const config = name === undefined ? undefined : configs[name]
    return name === undefined || config === undefined
      ? []
      : [pluginView(name, config, plugin, refusals)]
  })
}

/** Of a candidate, the name under which it was brought up. */
function nameOf({ plugins }: Running, plugin: Plugin): PluginId | undefined {
  for (const [name, one] of plugins) if (one === plugin) return name
  return undefined
}

function pluginView(
  name: PluginId,
  config: SnapshotPlugin,
  plugin: Plugin,
  refusals: readonly Refusal[],
): ChainView {
  const { moduleName, moduleVersion, module, phase, priority, failStrategy, mode } = config
  const lastGood = plugin.state !== 'failed' && runsLastGood(config, plugin)
  const refused = refusals.find((refusal) => refusal.plugin === name)
  return {
    plugin: name,
    module: [moduleName, moduleVersion].filter(Boolean).join(' '),
    sha256: module,
    phase,
    priority,
    failStrategy,
    mode: mode ?? 'enforce',
    state: lastGood ? 'last-good' : plugin.state,
    lastError: plugin.lastError?.message ?? (lastGood ? (refused?.message ?? null) : null),
  }
}

/** @param route - the one that matched, if one did */
export function skippedViews(
  running: Running,
  chain: readonly Plugin[],
  route: SnapshotRoute | undefined,
  node: GatewayNode,
): SkippedView[] {
  const { snapshot, plugins } = running
  const runs = new Set(chain)
  // who has the candidate has the plugin
  for (const rollout of snapshot.rollouts ?? []) {
    const [stable, candidate] = [plugins.get(rollout.plugin), plugins.get(candidateName(rollout))]
    if (stable && candidate && runs.has(candidate)) runs.add(stable)
  }
  return Object.values(snapshot.plugins).flatMap((config) => {
    const plugin = plugins.get(config.id)
    if (plugin !== undefined && runs.has(plugin)) return []
    return [{ plugin: config.id, why: whyNot(config, snapshot, route, node) }]
  })
}

function whyNot(
  config: SnapshotPlugin,
  snapshot: Snapshot,
  route: SnapshotRoute | undefined,
  node: GatewayNode,
): string {
  if (config.singleton) return 'singleton: it runs once for the whole gateway, on no request'
  if (!isSelected(config, node)) {
    const lacking = Object.entries(config.selector ?? {}).filter(
      ([label, value]) => node.labels[label] !== value,
    )
    return `selector: this node is not ${lacking.map((pair) => pair.join('=')).join(', ')}`
  }
  const places = placesOf(config.id, snapshot)
  if (places.length === 0)
    return 'targetRefs, namespace or match: it is in no chain of this snapshot'
  const here = route === undefined ? undefined : `route ${route.namespace}/${route.name}`
  if (here !== undefined && !places.includes(here))
    return `targetRefs: it is for ${places.join(', ')}`
  if (config.ports !== undefined) return `match: it is for port ${config.ports.join(', ')}`
  return `targetRefs: it is for ${places.join(', ')}`
}

/** The chains a plugin is in. */
function placesOf(id: PluginId, { routes, gateways, gatewayPlugins }: Snapshot): string[] {
  const places = routes
    .filter(({ plugins }) => plugins.includes(id))
    .map(({ namespace, name }) => `route ${namespace}/${name}`)
  for (const { namespace, name, plugins } of gateways) {
    if (plugins.includes(id)) places.push(`what no route of Gateway ${namespace}/${name} takes`)
  }
  if (gatewayPlugins.includes(id)) places.push('hosts that no listener has')
  return [...new Set(places)]
}
