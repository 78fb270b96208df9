import { describe, expect, it } from 'vitest'
import { LogLines } from './log-lines.ts'
import { pluginCounts } from './plugin-counts.ts'

function limited(perSecond: number): {
  readonly lines: LogLines
  readonly said: string[]
  readonly counts: ReturnType<typeof pluginCounts>
  pass(ms: number): void
} {
  let now = 5_000_000_000n
  const said: string[] = []
  const counts = pluginCounts()
  const clock = { realtime: () => 0n, monotonic: () => now }
  const lines = new LogLines(
    perSecond,
    clock,
    () => counts,
    (plugin, message) => said.push(`${plugin}: ${message}`),
  )
  return { lines, said, counts, pass: (ms) => void (now += BigInt(ms) * 1_000_000n) }
}

const take = (lines: LogLines, times: number, plugin = 'p'): number =>
  Array.from({ length: times }, () => lines.take(plugin)).filter(Boolean).length

describe('the lines that a plugin may log', () => {
  it('are so many in a second, and the rest is counted', () => {
    const { lines, counts } = limited(3)
    expect(take(lines, 10)).toBe(3)
    expect(counts.droppedLogLines).toBe(7)
  })

  it('are as many again a second later, when one line says what was dropped', () => {
    const { lines, said, pass } = limited(3)
    take(lines, 5)
    pass(999)
    expect(take(lines, 1)).toBe(0)
    expect(said).toEqual([])
    pass(1)
    expect(take(lines, 4)).toBe(3)
    expect(said).toEqual(['p: 3 lines were dropped: limits.logLinesPerSecond is 3'])
    pass(1_000)
    take(lines, 1)
    expect(said).toHaveLength(2)
    expect(said[1]).toBe('p: 1 line was dropped: limits.logLinesPerSecond is 3')
    pass(1_000)
    take(lines, 4)
    expect(said).toHaveLength(2)
  })

  it('are those of each plugin', () => {
    const { lines } = limited(2)
    expect(take(lines, 5, 'a')).toBe(2)
    expect(take(lines, 5, 'b')).toBe(2)
  })

  it('may be none, or without a limit', () => {
    const none = limited(0)
    expect(take(none.lines, 3)).toBe(0)
    none.pass(1_000)
    expect(take(none.lines, 1)).toBe(0)
    expect(none.said).toEqual(['p: 3 lines were dropped: limits.logLinesPerSecond is 0'])
    expect(take(limited(Number.POSITIVE_INFINITY).lines, 5_000)).toBe(5_000)
  })

  it('leave nothing unsaid when the vm ends', () => {
    const { lines, said } = limited(1)
    take(lines, 3, 'a')
    take(lines, 1, 'b')
    lines.end()
    lines.end()
    expect(said).toEqual(['a: 2 lines were dropped: limits.logLinesPerSecond is 1'])
  })
})
