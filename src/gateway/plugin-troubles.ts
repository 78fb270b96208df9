/** Which plugins of the running snapshot do not run as it says: for reports, `/-/status` and explanations. */
import type { Refusal } from '../config/refusals.ts'
import type { SnapshotPlugin } from '../config/snapshot.ts'
import type { ReportedPlugin } from '../observe/index.ts'
import type { Plugin } from '../proxy-wasm/index.ts'
import { isOfVersion } from './bring-up.ts'
import type { Running } from './running.ts'

/** Whether the version before runs in the place of the one that the snapshot names. */
export function runsLastGood(config: SnapshotPlugin, plugin: Plugin): boolean {
  return plugin.state === 'last-good' || !isOfVersion(plugin, config)
}

/**
 * @param refusals - of this isolate: they say why where the plugin itself does not
 * @returns an entry for each plugin that runs a last good version, or does not run after a failure
 */
export function pluginTroubles(
  running: Running | undefined,
  refusals: readonly Refusal[],
): ReportedPlugin[] {
  if (running === undefined) return []
  return Object.values(running.snapshot.plugins).flatMap((config): ReportedPlugin[] => {
    const plugin = running.plugins.get(config.id)
    if (plugin === undefined) return []
    const lastGood = runsLastGood(config, plugin)
    if (!lastGood && plugin.state !== 'failed') return []
    const refused = refusals.find((refusal) => refusal.plugin === config.id)
    const reason = plugin.lastError?.message ?? refused?.message ?? ''
    return [{ plugin: config.id, state: lastGood ? 'last-good' : 'failed', reason }]
  })
}
