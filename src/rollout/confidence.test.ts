import { describe, expect, it } from 'vitest'
import { meanBounds, rateBounds } from './confidence.ts'

/** Numbers that are random enough and the same in every run (Mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('bounds of a rate', () => {
  it('hold everything when nothing was seen', () => {
    expect(rateBounds(0, 0, 0.01)).toEqual({ low: 0, high: 1 })
  })

  it('end where what was seen ends', () => {
    expect(rateBounds(0, 1000, 0.01).low).toBe(0)
    expect(rateBounds(1000, 1000, 0.01).high).toBe(1)
  })

  it('are where the mixture exceeds the likelihood by 1/alpha, worked out by hand for one trial', () => {
    // one event in one trial: the mixture is 1/2, so p is out when 1/2 / p > 1/alpha
    expect(rateBounds(1, 1, 0.1).low).toBeCloseTo(0.05, 9)
    // none in two: the mixture is 3/8, so p is out when (1 - p)^2 < 3/8 alpha
    expect(rateBounds(0, 2, 0.1).high).toBeCloseTo(1 - Math.sqrt(0.0375), 9)
  })

  it('close in on the truth, also of what is rare, also with a thousand million trials', () => {
    for (const trials of [1e3, 1e5, 1e7, 1e9]) {
      const { low, high } = rateBounds(trials / 1000, trials, 0.01)
      expect(low).toBeLessThan(0.001)
      expect(high).toBeGreaterThan(0.001)
      // four widths of the normal distribution and a little for looking all the time
      expect(high - low).toBeLessThan(14 * Math.sqrt(0.001 / trials))
    }
  })

  it('are wider for who wants to be surer', () => {
    expect(rateBounds(5, 100, 0.001).high).toBeGreaterThan(rateBounds(5, 100, 0.1).high)
  })

  it('leave the truth out less often than alpha, looked at after every request', () => {
    const random = seeded(1)
    const rate = 0.02
    let wrong = 0
    // runs come by the same numbers again and again: a million looks are some thousand bounds
    const known = new Map<string, boolean>()
    const isOut = (events: number, trials: number): boolean => {
      const { low, high } = rateBounds(events, trials, 0.05)
      return low > rate || high < rate
    }
    for (let run = 0; run < 1000; run += 1) {
      let events = 0
      for (let trials = 1; trials <= 1000; trials += 1) {
        if (random() < rate) events += 1
        const look = `${events}/${trials}`
        const out = known.get(look) ?? isOut(events, trials)
        known.set(look, out)
        if (out) {
          wrong += 1
          break
        }
      }
    }
    expect(wrong).toBeLessThan(50)
    // and they are not so wide that they could never be wrong
    expect(wrong).toBeGreaterThan(0)
  })
})

describe('bounds of a mean', () => {
  const spread = (values: readonly number[]): { sum: number; squares: number } => ({
    sum: values.reduce((sum, value) => sum + value, 0),
    squares: values.reduce((sum, value) => sum + value * value, 0),
  })

  it('hold everything with less than two samples', () => {
    expect(meanBounds(1, spread([3]), 0.01, 100)).toEqual({ low: -Infinity, high: Infinity })
  })

  it('are the mean alone when all samples are equal', () => {
    expect(meanBounds(4, spread([7, 7, 7, 7]), 0.01, 100)).toEqual({ low: 7, high: 7 })
  })

  it('leave the truth out less often than alpha, looked at from the least number of samples on', () => {
    const random = seeded(2)
    let wrong = 0
    for (let run = 0; run < 1000; run += 1) {
      let [sum, squares] = [0, 0]
      for (let samples = 1; samples <= 3000; samples += 1) {
        // exponential, as waiting times are; the truth is 1
        const value = -Math.log(1 - random())
        sum += value
        squares += value * value
        if (samples < 200 || samples % 10 > 0) continue
        const { low, high } = meanBounds(samples, { sum, squares }, 0.05, 1000)
        if (low > 1 || high < 1) {
          wrong += 1
          break
        }
      }
    }
    expect(wrong).toBeLessThan(50)
    expect(wrong).toBeGreaterThan(0)
  })
})
