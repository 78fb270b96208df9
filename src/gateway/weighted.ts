/** One of several by their weights. */

export interface Weighted {
  readonly weight: number
}

/**
 * @param random from 0 to 1, without 1
 * @returns undefined when nothing has a weight
 */
export function pickWeighted<T extends Weighted>(
  items: readonly T[],
  random: number,
): T | undefined {
  let sum = 0
  for (const { weight } of items) sum += weight
  let left = random * sum
  for (const item of items) {
    left -= item.weight
    if (left < 0) return item
  }
  return undefined
}
