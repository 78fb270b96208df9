import { describe, expect, it } from 'vitest'
import { BackgroundStreams } from './background-streams.ts'
import type { BenchStep } from './bench-exchange.ts'
import type { TestStream } from './plugin-under-test.ts'

/** Streams that are nothing but names; what happens to each is written down. */
function recorded(count: number): { readonly streams: BackgroundStreams; readonly seen: string[] } {
  const seen: string[] = []
  const names = new Map<TestStream, string>()
  const open = (): TestStream => {
    const name = `s${names.size}`
    const stream = { chain: { end: () => seen.push(`${name} close`) } } as unknown as TestStream
    names.set(stream, name)
    return stream
  }
  const step = (phase: BenchStep['phase']): BenchStep => ({
    phase,
    run: (stream) => void seen.push(`${names.get(stream)} ${phase}`),
  })
  const steps = [step('open'), step('request headers'), step('end')]
  return { streams: new BackgroundStreams(count, open, steps), seen }
}

describe('streams beside the measured ones', () => {
  it('are all open and in their first phase before anything is measured', () => {
    const { streams, seen } = recorded(2)
    expect(streams.size).toBe(2)
    expect(seen).toEqual(['s0 open', 's1 open', 's0 request headers', 's1 request headers'])
  })

  it('go on in turn, a phase each, and begin anew behind their end', () => {
    const { streams, seen } = recorded(2)
    seen.length = 0
    streams.advance(3)
    expect(seen).toEqual(['s0 end', 's1 end', 's2 open'])
    streams.advance(2)
    expect(seen.slice(3)).toEqual(['s3 open', 's2 request headers'])
    expect(streams.size).toBe(2)
  })

  it('are nothing when none are wanted', () => {
    const { streams, seen } = recorded(0)
    streams.advance(5)
    expect(seen).toEqual([])
  })

  it('are ended with the benchmark', () => {
    const { streams, seen } = recorded(1)
    streams.close()
    expect(seen.at(-1)).toBe('s0 close')
    expect(streams.size).toBe(0)
  })
})
