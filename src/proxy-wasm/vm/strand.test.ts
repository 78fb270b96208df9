import { describe, expect, it } from 'vitest'
import { Strand } from './strand.ts'

describe('Strand', () => {
  it('does work at once while no guest runs', () => {
    const done: number[] = []
    new Strand().post(() => done.push(1))
    expect(done).toEqual([1])
  })

  it('keeps work until the outermost guest call has returned, in order', () => {
    const strand = new Strand()
    const done: string[] = []
    strand.enter()
    strand.post(() => done.push('a'))
    strand.enter()
    strand.post(() => done.push('b'))
    strand.leave()
    expect([strand.busy, done]).toEqual([true, []])
    strand.leave()
    expect([strand.busy, done]).toEqual([false, ['a', 'b']])
  })

  it('does work that work gives rise to after what was there before', () => {
    const strand = new Strand()
    const done: string[] = []
    strand.enter()
    strand.post(() => {
      strand.enter()
      strand.post(() => done.push('c'))
      strand.leave()
      done.push('a')
    })
    strand.post(() => done.push('b'))
    strand.leave()
    expect(done).toEqual(['a', 'b', 'c'])
  })

  it('goes on after work that throws', () => {
    const strand = new Strand()
    const done: string[] = []
    expect(() =>
      strand.post(() => {
        throw new Error('broken')
      }),
    ).toThrow('broken')
    strand.post(() => done.push('next'))
    expect(done).toEqual(['next'])
  })
})
