/** The small ports, and that a set can be made with any of them replaced. */
import { describe, expect, it } from 'vitest'
import type { ForeignCaller } from './ports.ts'
import { LogLevel, Status } from './abi/enums.ts'
import { inMemoryPorts } from './in-memory-ports.ts'
import { consoleLog, type ConsoleLike } from './in-memory/console-log.ts'
import { ForeignFunctionRegistry } from './in-memory/foreign-functions.ts'
import { systemClock } from './in-memory/system-clock.ts'
import type { LogEntry } from './ports.ts'

const entry = (level: LogLevel, parts: Partial<LogEntry> = {}): LogEntry => ({
  level,
  message: 'hello',
  plugin: 'auth',
  rootId: 'auth_root',
  vmId: 'vm1',
  contextId: 2,
  ...parts,
})
const recorder = (): { lines: string[]; output: ConsoleLike } => {
  const lines: string[] = []
  const to = (method: string) => (line: string) => void lines.push(`${method}| ${line}`)
  return {
    lines,
    output: { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') },
  }
}

describe('inMemoryPorts', () => {
  it('shares nothing between two sets', () => {
    const [a, b] = [inMemoryPorts(), inMemoryPorts()]
    a.sharedData.set('', 'k', Uint8Array.of(1), 0)
    expect(b.sharedData.get('', 'k')).toBeUndefined()
  })

  it('takes the ports it is given', () => {
    const clock = systemClock(() => 5)
    expect(inMemoryPorts({ clock }).clock).toBe(clock)
  })

  it('refuses every upstream', () => {
    const call = {
      plugin: 'p',
      upstream: 'any',
      headers: [],
      body: new Uint8Array(0),
      trailers: [],
      timeoutMs: 0,
    }
    expect(inMemoryPorts().httpCalls.start(call)).toBe(Status.BadArgument)
  })

  it('fills with random bytes', () => {
    const bytes = new Uint8Array(64)
    const { random } = inMemoryPorts()
    random.fill(bytes.subarray(0))
    expect(bytes.some((byte) => byte !== 0)).toBe(true)
  })

  it('runs a timer once, unless it is cancelled', async () => {
    const { timers } = inMemoryPorts()
    const ran: string[] = []
    const cancel = timers.after(1, () => ran.push('cancelled'))
    timers.after(2 ** 40, () => ran.push('too early'))()
    cancel()
    await new Promise<void>((resolve) => timers.after(5, resolve))
    expect(ran).toEqual([])
  })
})

describe('systemClock', () => {
  it('tells the epoch in nanoseconds', () => {
    expect(systemClock(() => 1_700_000_000_123).realtime()).toBe(1_700_000_000_123_000_000n)
  })

  it('has a monotonic side that does not go back when the clock is set', () => {
    let now = 1000
    const clock = systemClock(() => now)
    expect(clock.monotonic()).toBe(1_000_000_000n)
    now = 500
    expect(clock.monotonic()).toBe(1_000_000_000n)
    expect(clock.realtime()).toBe(500_000_000n)
    now = 1001.7
    expect(clock.monotonic()).toBe(1_001_000_000n)
  })
})

describe('consoleLog', () => {
  it('writes a line as Envoy does, by level', () => {
    const { lines, output } = recorder()
    const log = consoleLog(LogLevel.Trace, output)
    for (const level of Object.values(LogLevel)) log.log(entry(level))
    const methods = ['debug', 'debug', 'info', 'warn', 'error', 'error']
    expect(lines).toEqual(methods.map((method) => `${method}| wasm log auth auth_root vm1: hello`))
  })

  it('leaves out what is empty', () => {
    const { lines, output } = recorder()
    consoleLog(LogLevel.Info, output).log(entry(LogLevel.Info, { rootId: '', vmId: '' }))
    expect(lines).toEqual(['info| wasm log auth: hello'])
  })

  it('drops what is below its level', () => {
    const { lines, output } = recorder()
    consoleLog(LogLevel.Warn, output).log(entry(LogLevel.Info))
    expect(lines).toEqual([])
  })
})

describe('foreign functions', () => {
  it('are found by name once registered', () => {
    const registry = new ForeignFunctionRegistry().register('echo', (args) => args)
    expect(registry.find('echo')?.(Uint8Array.of(1), {} as ForeignCaller)).toEqual(Uint8Array.of(1))
    expect(registry.find('compress')).toBeUndefined()
  })
})
