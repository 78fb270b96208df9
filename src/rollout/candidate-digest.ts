/**
 * Which version a candidate is, in a short text: the state of a rollout names it, so that weights which
 * were meant for one candidate never count for another that took its place in a snapshot.
 */
export { pluginVersion as candidateDigest } from '../config/plugin-version.ts'
