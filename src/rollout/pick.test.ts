import { array, assert, integer, option, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundOf, positionOf, saltOf, sideOf } from './pick.ts'

const weight = integer({ min: 0, max: 100_000 }).map((thousandths) => thousandths / 1000)
const key = string({ unit: 'binary', maxLength: 60 })

/** Above this a chi-square statistic of so many degrees of freedom happens once in ten thousand times. */
function chiSquareBound(freedom: number): number {
  // Wilson and Hilferty 1931: the cube root is nearly normal
  const part = 2 / (9 * freedom)
  return freedom * (1 - part + 3.719 * Math.sqrt(part)) ** 3
}

function chiSquare(counts: ArrayLike<number>, expected: number): number {
  return Array.from(counts).reduce((sum, one) => sum + (one - expected) ** 2 / expected, 0)
}

describe('the side of a request', () => {
  it('is the same whenever and wherever it is asked for', () => {
    assert(
      property(string(), key, weight, (salt, one, at) => {
        expect(sideOf(saltOf(salt), one, boundOf(at))).toBe(sideOf(saltOf(salt), one, boundOf(at)))
      }),
    )
  })

  it('never goes back to stable while the weight grows, whatever the moves were', () => {
    assert(
      property(string(), key, array(weight, { maxLength: 20 }), (name, one, weights) => {
        const salt = saltOf(name)
        const sides = weights
          .toSorted((a, b) => a - b)
          .map((at) => sideOf(salt, one, boundOf(at)) === 'candidate')
        expect(sides).toEqual(sides.toSorted((a, b) => Number(a) - Number(b)))
      }),
    )
  })

  it('comes back to what it was when the weight does, after any moves in between', () => {
    assert(
      property(key, weight, weight, (one, first, other) => {
        const salt = saltOf('shop.pricing/1')
        const before = sideOf(salt, one, boundOf(first))
        sideOf(salt, one, boundOf(other))
        expect(sideOf(salt, one, boundOf(first))).toBe(before)
      }),
    )
  })

  it('is stable for every key at 0, candidate for every key at 100', () => {
    assert(
      property(string(), option(key, { nil: undefined }), (salt, one) => {
        expect(sideOf(saltOf(salt), one, boundOf(0))).toBe('stable')
        expect(sideOf(saltOf(salt), one, boundOf(100))).toBe('candidate')
      }),
    )
  })

  it('is stable without a key until the weight is 100', () => {
    expect(sideOf(saltOf('a'), undefined, boundOf(99.999))).toBe('stable')
  })

  it('is finer than a thousandth of a per cent nowhere, and that fine everywhere', () => {
    assert(
      property(integer({ min: 0, max: 99_999 }), (thousandths) => {
        const here = boundOf(thousandths / 1000)
        const next = boundOf((thousandths + 1) / 1000)
        expect(next - here).toBeCloseTo(2 ** 32 / 100_000, 3)
        expect(boundOf(thousandths / 1000 + 0.0001)).toBe(here)
      }),
    )
  })
})

const KEYS = 1_000_000

function count(counts: Uint32Array, at: number): void {
  counts[at] = (counts[at] ?? 0) + 1
}

describe('a million keys', () => {
  const forms: Record<string, (n: number) => string> = {
    numbered: (n) => `${n}`,
    'of one length': (n) => `customer-${n.toString().padStart(9, '0')}`,
    addresses: (n) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
  }

  it.each(Object.keys(forms))('are spread evenly: %s', (form) => {
    const salt = saltOf('shop.pricing/1')
    const keyOf = forms[form] ?? String
    const counts = new Uint32Array(1000)
    for (let n = 0; n < KEYS; n += 1) {
      count(counts, Math.floor(positionOf(salt, keyOf(n)) / (2 ** 32 / 1000)))
    }
    expect(chiSquare(counts, KEYS / 1000)).toBeLessThan(chiSquareBound(999))
  })

  it('are spread by one rollout without regard to another', () => {
    const [one, other] = [saltOf('shop.pricing/1'), saltOf('shop.pricing/2')]
    const counts = new Uint32Array(32 * 32)
    for (let n = 0; n < KEYS; n += 1) {
      const row = positionOf(one, `user-${n}`) >>> 27
      count(counts, row * 32 + (positionOf(other, `user-${n}`) >>> 27))
    }
    expect(chiSquare(counts, KEYS / 1024)).toBeLessThan(chiSquareBound(1023))
  })

  it('give a weight its share', () => {
    const salt = saltOf('shop.pricing/1')
    const bound = boundOf(0.1)
    let taken = 0
    for (let n = 0; n < KEYS; n += 1) {
      if (sideOf(salt, `user-${n}`, bound) === 'candidate') taken += 1
    }
    // five standard deviations of the binomial distribution
    expect(Math.abs(taken - 1000)).toBeLessThan(5 * Math.sqrt(1000))
  })
})
