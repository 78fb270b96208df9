/** How many wrong tokens an address may show. */
import { describe, expect, it } from 'vitest'
import { Guesses } from './guesses.ts'

function wrong(guesses: Guesses, address: string, times: number, now = 0): void {
  for (let i = 0; i < times; i++) guesses.wrong(address, now)
}

describe('an address', () => {
  it('may show nine wrong tokens a minute and not ten', () => {
    const guesses = new Guesses()
    wrong(guesses, '192.0.2.1', 9)
    expect(guesses.retryAfter('192.0.2.1', 0)).toBe(0)
    wrong(guesses, '192.0.2.1', 1)
    expect(guesses.retryAfter('192.0.2.1', 0)).toBe(60)
    expect(guesses.retryAfter('192.0.2.1', 58_001)).toBe(2)
  })

  it('begins anew when its minute is over', () => {
    const guesses = new Guesses()
    wrong(guesses, '192.0.2.1', 10)
    expect(guesses.retryAfter('192.0.2.1', 60_000)).toBe(0)
    wrong(guesses, '192.0.2.1', 9, 60_000)
    expect(guesses.retryAfter('192.0.2.1', 60_000)).toBe(0)
  })

  it('does not count for another', () => {
    const guesses = new Guesses()
    wrong(guesses, '192.0.2.1', 10)
    expect(guesses.retryAfter('192.0.2.2', 0)).toBe(0)
  })

  it('of IPv6 stands for its network', () => {
    const guesses = new Guesses()
    for (let i = 0; i < 10; i++) guesses.wrong(`2001:db8:1:2::${i.toString(16)}`, 0)
    expect(guesses.retryAfter('2001:db8:1:2:aaaa:bbbb:cccc:dddd', 0)).toBe(60)
    expect(guesses.retryAfter('2001:db8:1:3::1', 0)).toBe(0)
    wrong(guesses, '2001:db8::1', 10)
    expect(guesses.retryAfter('2001:db8:0:0:ffff::', 0)).toBe(60)
    expect(guesses.retryAfter('2001:db8::1:0:0:0:0', 0)).toBe(0)
  })
})

it('forgets the address whose minute began first when there are too many', () => {
  const guesses = new Guesses()
  wrong(guesses, 'first', 10)
  wrong(guesses, 'second', 10)
  for (let i = 0; i < 999; i++) guesses.wrong(`other ${i}`, 1)
  expect(guesses.retryAfter('first', 1)).toBe(0)
  expect(guesses.retryAfter('second', 1)).toBe(60)
})
