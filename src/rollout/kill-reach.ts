/** How far the kills of a plugin's candidate reach. */
import { hasLabels } from '../config/has-labels.ts'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'
import type { Kill } from './record.ts'

/** @returns such as `all nodes`, or `nodes with ring=1` */
export function nodesOf({ selector = {} }: Kill): string {
  const labels = Object.entries(selector).map((label) => label.join('='))
  return labels.length === 0 ? 'all nodes' : `nodes with ${labels.join(',')}`
}

/** @returns where the candidate is off, in words; undefined where it is not */
export function whereOff(kills: readonly Kill[], plugin: string): string | undefined {
  const places = kills.filter((kill) => kill.plugin === plugin).map((kill) => nodesOf(kill))
  return places.length === 0 ? undefined : places.join(' and ')
}

/** Whether the candidate runs on no node of the audience. */
export function isOffEverywhere(
  kills: readonly Kill[],
  { plugin, selector: audience = {} }: Pick<SnapshotRollout, 'plugin' | 'selector'>,
): boolean {
  return kills.some((kill) => kill.plugin === plugin && hasLabels(kill.selector, audience))
}
