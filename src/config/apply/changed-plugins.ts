/**
 * The plugins whose vm starts differently from before, which is what preflight tries. Order, phase
 * and `failStrategy` start nothing, candidates of rollouts do; `lastGood` is about another version.
 * @param before what runs; undefined when nothing does
 * @returns ids, sorted
 */
import { canonicalJson } from '../canonical.ts'
import { startable } from '../candidate-plugins.ts'
import type { PluginId, Snapshot, SnapshotPlugin } from '../snapshot.ts'

export function changedPlugins(before: Snapshot | undefined, after: Snapshot): readonly PluginId[] {
  const known = before === undefined ? {} : startable(before)
  return Object.entries(startable(after))
    .filter(([id, plugin]) => {
      const old = known[id]
      return old === undefined || startOf(old) !== startOf(plugin)
    })
    .map(([id]) => id)
    .sort()
}

function startOf(plugin: SnapshotPlugin): string {
  const { module, rootId, configuration, env, vmId, shareVm, vmConfiguration } = plugin
  const { allowedCapabilities, limits, upstreams, allowOnHeadersStopIteration } = plugin
  return canonicalJson([
    { module, rootId, configuration, env, vmId, shareVm, vmConfiguration },
    { allowedCapabilities, limits, upstreams, allowOnHeadersStopIteration },
  ])
}
