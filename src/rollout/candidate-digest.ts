/**
 * Which version a candidate is, in a short text: the state of a rollout names it, so that weights which
 * were meant for one candidate never count for another that took its place in a snapshot.
 */
import { canonicalJson } from '../config/canonical.ts'
import { sha256Hex } from '../config/digest.ts'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'

/**
 * @param version - a candidate, or a plugin: then of its own version
 * @param mode - of the rollout: a weight that was meant for a shadow never lets its candidate take part
 */
export function candidateDigest(
  { module, configuration }: { readonly module: string; readonly configuration: string },
  mode: SnapshotRollout['mode'] = 'enforce',
): Promise<string> {
  const shadow = mode === 'shadow' ? { mode } : {}
  return sha256Hex(canonicalJson({ configuration, module, ...shadow }))
}
