import { describe, expect, it } from 'vitest'
import { isRunningIn, runIn, runningIo, standaloneIo } from './io-context.ts'

describe('the I/O context that runs', () => {
  it('is the one of the innermost turn', () => {
    const [a, b] = [standaloneIo(), standaloneIo()]
    const seen = runIn(a, () => {
      const inner = runIn(b, () => [runningIo() === b, isRunningIn(a)])
      return [...inner, runningIo() === a, isRunningIn(a)]
    })
    expect(seen).toEqual([true, false, true, true])
  })

  it('is put back when a turn throws', () => {
    const io = standaloneIo()
    expect(() =>
      runIn(io, () => {
        throw new Error('broken')
      }),
    ).toThrow('broken')
    expect(isRunningIn(io)).toBe(false)
  })

  it('is a must', () => {
    expect(() => runningIo()).toThrow('outside of an I/O context')
  })
})
