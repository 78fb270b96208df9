/**
 * The order of plugins in a chain, as Istio builds Envoy's: by phase, within a phase by descending
 * priority, ties by creation time, name and namespace. Files without a time come after those that a
 * cluster has given one. The entries of one resource keep their order.
 */
import { createdAt } from '../resources/metadata.ts'
import { PHASES } from '../snapshot.ts'
import type { DeclaredPlugin } from './declared-plugin.ts'

/** For `sort`: negative when `a` runs before `b` on the request path. */
export function comparePlugins(a: DeclaredPlugin, b: DeclaredPlugin): number {
  const one = a.resource.metadata
  const other = b.resource.metadata
  return (
    PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) ||
    b.priority - a.priority ||
    createdAt(one) - createdAt(other) ||
    compareText(one.name, other.name) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.resource.kind, b.resource.kind) ||
    a.index - b.index
  )
}

/** By code unit, so that every machine agrees. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
