/** A plugin of a snapshot → what the machine is told about it. */
import type { SnapshotPlugin } from '../config/snapshot.ts'
import { type LoadedModule, type PluginSpec, pluginSpec } from '../proxy-wasm/index.ts'
import { environmentOf, type GatewayNode } from './node.ts'

/**
 * @param module - the plugin's module, checked
 * @param node - that runs it, for what only a node has
 * @param counted - host calls and metrics are, for each stream that is watched
 */
export function toPluginSpec(
  config: SnapshotPlugin,
  module: LoadedModule,
  node: GatewayNode,
  counted = false,
): PluginSpec {
  return pluginSpec({
    name: config.id,
    rootId: config.rootId,
    vmId: config.vmId,
    module,
    configuration: config.configuration,
    vmConfiguration: config.vmConfiguration,
    environment: environmentOf(config, node),
    failStrategy: config.failStrategy,
    shareVm: config.shareVm,
    allowedCapabilities: config.allowedCapabilities,
    allowOnHeadersStopIteration: config.allowOnHeadersStopIteration,
    limits: config.limits,
    logOnly: config.logOnly,
    failOpenBudget: config.failOpenBudget,
    decisions: config.decisions,
    counted,
  })
}
