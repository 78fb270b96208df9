import { array, assert, boolean, nat, property, record } from 'fast-check'
import { expect, it } from 'vitest'
import { FailOpenMinute } from './fail-open-minute.ts'

/** Lets `streams` come at `now`, each of which fails. @returns how many were let by */
function fail(
  minute: FailOpenMinute,
  streams: number,
  budget: { readonly percent: number; readonly minimum: number },
  now = 0,
): number {
  let passed = 0
  for (let i = 0; i < streams; i++) {
    minute.come(now)
    if (minute.take(budget)) passed++
  }
  return passed
}

it('lets so many per cent by of those that came', () => {
  expect(fail(new FailOpenMinute(), 1_000, { percent: 5, minimum: 0 })).toBe(50)
  expect(fail(new FailOpenMinute(), 1_000, { percent: 0.5, minimum: 0 })).toBe(5)
})

it('lets nobody by where a percentage of few is less than one, and the minimum all the same', () => {
  expect(fail(new FailOpenMinute(), 10, { percent: 5, minimum: 0 })).toBe(0)
  expect(fail(new FailOpenMinute(), 10, { percent: 5, minimum: 3 })).toBe(3)
})

it('takes the larger of the two, not their sum', () => {
  expect(fail(new FailOpenMinute(), 100, { percent: 10, minimum: 3 })).toBe(10)
})

it('knows neither budget as none, and a hundred per cent as all', () => {
  expect(fail(new FailOpenMinute(), 100, { percent: 0, minimum: 0 })).toBe(0)
  expect(fail(new FailOpenMinute(), 100, { percent: 100, minimum: 0 })).toBe(100)
})

it('begins anew a minute after its first stream', () => {
  const minute = new FailOpenMinute()
  const budget = { percent: 0, minimum: 1 }
  expect([fail(minute, 5, budget, 1_000), fail(minute, 5, budget, 60_999)]).toEqual([1, 0])
  expect([minute.came, minute.passed]).toEqual([10, 1])
  expect(fail(minute, 5, budget, 61_000)).toBe(1)
  expect([minute.came, minute.passed]).toEqual([5, 1])
})

it('has never let more by than the budget says of what has come, at any time of a minute', () => {
  const events = array(record({ after: nat(20_000), fails: boolean() }))
  const budgets = record({ percent: nat(100), minimum: nat(3) })
  assert(
    property(events, budgets, (those, budget) => {
      const minute = new FailOpenMinute()
      let now = 0
      for (const { after, fails } of those) {
        now += after
        minute.come(now)
        if (fails) minute.take(budget)
        const most = Math.max(budget.minimum, (minute.came * budget.percent) / 100)
        if (minute.passed > most || minute.passed > minute.came) return false
      }
      return true
    }),
  )
})
