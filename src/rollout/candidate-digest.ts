/**
 * Which version a candidate is, in a short text: the state of a rollout names it, so that weights which
 * were meant for one candidate never count for another that took its place in a snapshot.
 */
import { canonicalJson } from '../config/canonical.ts'
import { sha256Hex } from '../config/digest.ts'

/** @param version - a candidate, or a plugin: then of its own version */
export function candidateDigest({
  module,
  configuration,
}: {
  readonly module: string
  readonly configuration: string
}): Promise<string> {
  return sha256Hex(canonicalJson({ configuration, module }))
}
