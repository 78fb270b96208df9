/**
 * Which version of itself a plugin is, in a short text that tells nobody its configuration: its module and
 * what it is configured with. The state of a rollout names its candidate so: weights that were meant for one
 * never count for another that took its place in a snapshot.
 * @param plugin - a plugin of a snapshot, or a candidate
 * @returns lower-case hex sha256
 */
import { canonicalJson } from './canonical.ts'
import { sha256Hex } from './digest.ts'

export function pluginVersion({
  module,
  configuration,
}: {
  readonly module: string
  readonly configuration: string
}): Promise<string> {
  return sha256Hex(canonicalJson({ configuration, module }))
}
