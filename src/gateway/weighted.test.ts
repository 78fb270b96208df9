/** Shares by weight. */
import { expect, it } from 'vitest'
import { pickWeighted } from './weighted.ts'

const of = (...weights: number[]) => weights.map((weight, index) => ({ index, weight }))

it('gives each its share', () => {
  const items = of(1, 0, 3)
  const picked = Array.from({ length: 400 }, (_, i) => pickWeighted(items, i / 400)?.index)
  expect([0, 1, 2].map((index) => picked.filter((one) => one === index).length)).toEqual([
    100, 0, 300,
  ])
})

it('gives nothing without weights', () => {
  expect(pickWeighted(of(0, 0), 0)).toBeUndefined()
  expect(pickWeighted([], 0.5)).toBeUndefined()
})

it('never gives one without a weight, also at the ends', () => {
  expect(pickWeighted(of(0, 1, 0), 0)?.index).toBe(1)
  expect(pickWeighted(of(0, 1, 0), 1 - Number.EPSILON)?.index).toBe(1)
})
