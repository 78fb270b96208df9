/**
 * Confidence sequences: bounds that hold at all times together, so that one may look after every
 * request and stop whenever one likes. A test of fixed size, looked at again and again, is wrong more
 * and more often; these are not.
 */

export interface Bounds {
  readonly low: number
  readonly high: number
}

/**
 * Bounds for how often something happens. For any p, the likelihood of what was seen under a
 * Beta(1/2, 1/2) mixture over its likelihood under p is a martingale when p is true, and one that starts
 * at 1 ever exceeds 1/alpha with a probability of alpha at the most (Ville 1939). The bounds are the p
 * for which it has not. Exact for any number of requests, also where nothing has happened yet.
 *
 * H. Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of
 * Mathematical Statistics 41 (1970), https://doi.org/10.1214/aoms/1177696786; as bounds: S. R. Howard,
 * A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
 * sequences", Annals of Statistics 49 (2021), https://doi.org/10.1214/20-AOS1991
 * @param events - how many of the `trials` it happened in
 * @param alpha - the chance that the truth is ever outside
 */
export function rateBounds(events: number, trials: number, alpha: number): Bounds {
  if (trials === 0) return { low: 0, high: 1 }
  const others = trials - events
  const mixture =
    logGamma(events + 0.5) + logGamma(others + 0.5) - logGamma(trials + 1) - 2 * logGamma(0.5)
  const limit = mixture + Math.log(alpha)
  /** Whether p can still be the truth. */
  const holds = (p: number): boolean => {
    const hits = events === 0 ? 0 : events * Math.log(p)
    const misses = others === 0 ? 0 : others * Math.log1p(-p)
    return hits + misses > limit
  }
  const seen = events / trials
  return { low: edge(seen, 0, holds), high: edge(seen, 1, holds) }
}

/**
 * Bounds for a mean of anything with a variance, which is estimated: right for large numbers, as the
 * central limit theorem is, but at all times together.
 *
 * I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy, A. Ramdas, "Time-uniform central limit theory
 * and asymptotic confidence sequences", Annals of Statistics 52 (2024), theorem 2.2,
 * https://doi.org/10.1214/24-AOS2408
 * @param tightAt - for how many samples the bounds are to be closest together
 */
export function meanBounds(
  samples: number,
  { sum, squares }: { readonly sum: number; readonly squares: number },
  alpha: number,
  tightAt: number,
): Bounds {
  if (samples < 2) return { low: -Infinity, high: Infinity }
  const mean = sum / samples
  const variance = Math.max(squares / samples - mean * mean, 0)
  const twice = -2 * Math.log(alpha)
  const mixing = (twice + Math.log(twice) + 1) / tightAt
  const growth = samples * mixing + 1
  const width = Math.sqrt(
    ((2 * growth) / (samples * samples * mixing)) * Math.log(Math.sqrt(growth) / alpha) * variance,
  )
  return { low: mean - width, high: mean + width }
}

/** Between `inside`, where it holds, and `outside`: the last place where it does, on the outer side of it. */
function edge(inside: number, outside: number, holds: (p: number) => boolean): number {
  if (inside === outside || holds(outside)) return outside
  let near = inside
  let far = outside
  for (let round = 0; round < 60 && Math.abs(far - near) > 1e-12; round += 1) {
    const middle = (near + far) / 2
    if (holds(middle)) near = middle
    else far = middle
  }
  return far
}

/** Stirling's series, from 10 on right to the last digits; below by the recurrence. x > 0. */
function logGamma(x: number): number {
  let below = 0
  let at = x
  for (; at < 10; at += 1) below += Math.log(at)
  const square = 1 / (at * at)
  const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / at
  return (at - 0.5) * Math.log(at) - at + 0.9189385332046727 + series - below
}
