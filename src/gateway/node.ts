/**
 * What of a snapshot depends on the node that runs it, so that one snapshot serves all nodes: which
 * plugins are for nodes with its labels, and the variables that only the node has.
 */
import { hasLabels } from '../config/has-labels.ts'
import type { SnapshotPlugin } from '../config/snapshot.ts'

export interface GatewayNode {
  /** What selectors of plugins look at. */
  readonly labels: Readonly<Record<string, string>>
  /** A variable that plugins may be given; undefined for one they may not, or that is not there. */
  hostEnv(name: string): string | undefined
}

/** A node without labels that gives nothing away. */
export const PLAIN_NODE: GatewayNode = { labels: {}, hostEnv: () => undefined }

/** Whether a plugin is for a node: it has every label that is asked for. */
export function isSelected({ selector }: SnapshotPlugin, { labels }: GatewayNode): boolean {
  return hasLabels(selector, labels)
}

/** Whether a plugin asks for a variable that the node does not have, or does not give away. */
export function lacksVariables({ env }: SnapshotPlugin, node: GatewayNode): boolean {
  return env.some(([name, inline]) => inline === undefined && node.hostEnv(name) === undefined)
}

/** The variables a plugin's vm sees here, with the node's values where it asks for them. */
export function environmentOf(
  { env }: SnapshotPlugin,
  node: GatewayNode,
): readonly (readonly [name: string, value: string])[] {
  return env.flatMap(([name, inline]) => {
    const value = inline ?? node.hostEnv(name)
    return value === undefined ? [] : [[name, value] as const]
  })
}
