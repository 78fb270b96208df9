/**
 * The order of plugins in a chain, as Istio builds Envoy's: by phase, within a phase by descending
 * priority, ties by name and then namespace. Istio breaks ties by creation time first; files have
 * none, and Istio itself falls back to the names where the times are equal.
 */
import { PHASES } from '../snapshot.ts'
import type { SnapshotPlugin } from '../snapshot.ts'

/** For `sort`: negative when `a` runs before `b` on the request path. */
export function comparePlugins(a: SnapshotPlugin, b: SnapshotPlugin): number {
  return (
    PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) ||
    b.priority - a.priority ||
    compareText(a.name, b.name) ||
    compareText(a.namespace, b.namespace)
  )
}

/** By code unit, so that every machine agrees. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
