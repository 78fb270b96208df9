/** When an upstream is left alone, and for how long. */
import { describe, expect, it } from 'vitest'
import { Outlier } from './outlier.ts'

const times = { baseEjectionMs: 1_000, maxEjectionMs: 2_500 }

/** Lets it see these statuses at one time. */
function see(outlier: Outlier, now: number, ...statuses: (number | undefined)[]): void {
  for (const status of statuses) outlier.saw(status, now)
}

describe('an upstream is left alone', () => {
  it('after so many failures in a row, no answer among them', () => {
    const outlier = new Outlier({ consecutive5xx: 3, ...times })
    see(outlier, 0, 500, undefined, 200, 500, 500)
    expect(outlier.remaining(0)).toBe(0)
    see(outlier, 5, 504)
    expect([outlier.remaining(5), outlier.remaining(1_004), outlier.remaining(1_005)]).toEqual([
      1_000, 1, 0,
    ])
  })

  it('after so many gateway errors in a row, where those are counted', () => {
    const outlier = new Outlier({ consecutiveGatewayErrors: 2, ...times })
    see(outlier, 0, 500, 500, 500, 503, 500, 503)
    expect(outlier.remaining(0)).toBe(0)
    see(outlier, 0, undefined)
    expect(outlier.remaining(0)).toBe(1_000)
  })

  it('not for what clients do wrong', () => {
    const outlier = new Outlier({ consecutive5xx: 1, ...times })
    see(outlier, 0, 404, 429, 499)
    expect(outlier.remaining(0)).toBe(0)
  })

  it('longer each time, up to the maximum', () => {
    const outlier = new Outlier({ consecutive5xx: 1, ...times })
    const lengths = []
    for (let now = 0; lengths.length < 4;) {
      see(outlier, now, 500)
      lengths.push(outlier.remaining(now))
      now += outlier.remaining(now)
    }
    expect(lengths).toEqual([1_000, 2_000, 2_500, 2_500])
  })

  it('shorter again after it was well for a while', () => {
    const outlier = new Outlier({ consecutive5xx: 1, ...times })
    see(outlier, 0, 500)
    see(outlier, 1_000, 500)
    expect(outlier.remaining(1_000)).toBe(2_000)
    see(outlier, 5_000, 500)
    expect(outlier.remaining(5_000)).toBe(1_000)
  })

  it('not longer for what comes back meanwhile', () => {
    const outlier = new Outlier({ consecutive5xx: 1, ...times })
    see(outlier, 0, 500, 500, 500)
    expect(outlier.remaining(0)).toBe(1_000)
    see(outlier, 1_000, 500)
    expect(outlier.remaining(1_000)).toBe(2_000)
  })
})
