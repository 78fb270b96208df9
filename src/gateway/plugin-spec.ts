/** A plugin of a snapshot → what the machine is told about it. */
import type { SnapshotPlugin } from '../config/snapshot.ts'
import { type LoadedModule, type PluginSpec, pluginSpec } from '../proxy-wasm/index.ts'

/** @param module - the plugin's module, checked */
export function toPluginSpec(config: SnapshotPlugin, module: LoadedModule): PluginSpec {
  return pluginSpec({
    name: config.id,
    rootId: config.rootId,
    vmId: config.vmId,
    module,
    configuration: config.configuration,
    vmConfiguration: config.vmConfiguration,
    environment: config.env,
    failStrategy: config.failStrategy,
    shareVm: config.shareVm,
    allowedCapabilities: config.allowedCapabilities,
    allowOnHeadersStopIteration: config.allowOnHeadersStopIteration,
    limits: config.limits,
  })
}
