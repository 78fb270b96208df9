/**
 * Which side of a rollout a request gets: a hash of the rollout's salt and the request's sticky key,
 * compared with the weight. No state and no random numbers, so every isolate of every node comes to the
 * same side, and a key that is in at one weight is in at every higher one.
 */

/** Which of the two versions of a plugin a request runs through. */
export type Side = 'stable' | 'candidate'

/** The whole range of `positionOf`; a weight of 100 per cent is exactly this. */
const RANGE = 2 ** 32

/**
 * Where the keys of a rollout begin to be hashed: worked out once for each rollout.
 * @param salt - the rollout's name and generation: another salt spreads the same keys anew
 */
export function saltOf(salt: string): number {
  return murmur3(salt, 0x9747b28c)
}

/**
 * Where a key stands in a rollout, evenly spread over all keys.
 * @param salt - from `saltOf`
 * @returns a whole number, at least 0 and below 2^32
 */
export function positionOf(salt: number, key: string): number {
  return murmur3(key, salt)
}

/**
 * A weight as the bound that positions are compared with: worked out once for each move.
 * @param weight - per cent, 0 to 100; thousandths count, what is finer is rounded to them
 */
export function boundOf(weight: number): number {
  return (Math.round(weight * 1000) * RANGE) / 100_000
}

/**
 * @param salt - from `saltOf`
 * @param key - the sticky key; undefined when the request has none: then it is stable until the weight
 *   is 100, since what cannot be recognised again cannot be kept on one side
 * @param bound - from `boundOf`
 */
export function sideOf(salt: number, key: string | undefined, bound: number): Side {
  const position = key === undefined ? RANGE - 1 : positionOf(salt, key)
  return position < bound ? 'candidate' : 'stable'
}

/**
 * MurmurHash3_x86_32 over the UTF-16 code units of a string, two in a block.
 * https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
function murmur3(text: string, seed: number): number {
  let hash = seed
  const { length } = text
  const even = length & ~1
  for (let at = 0; at < even; at += 2) {
    hash ^= mixed(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16))
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64
  }
  if (even < length) hash ^= mixed(text.charCodeAt(even))
  hash ^= length * 2
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function mixed(block: number): number {
  const scaled = Math.imul(block, 0xcc9e2d51)
  return Math.imul((scaled << 15) | (scaled >>> 17), 0x1b873593)
}
