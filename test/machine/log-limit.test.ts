/** `limits.logLinesPerSecond`: what a plugin logs too much of, through the ABI and through WASI. */
import { describe, expect, it } from 'vitest'
import {
  LogLevel,
  type Plugin,
  type PluginOptions,
  pluginSpec,
} from '../../src/proxy-wasm/index.ts'
import { FakeTime } from '../support/fake-time.ts'
import { type Machine, machine, moduleAt, probe, script } from '../support/machine.ts'

const GO = 'test/fixtures/sdk-go/sdk-go.wasm'

interface Limited {
  readonly host: Machine
  readonly plugin: Plugin
  readonly time: FakeTime
  /** Levels and lines since the plugin was made, host and guest. */
  said(): string[]
  send(path?: string): Promise<Response>
}

async function limited(perSecond: number, options: Partial<PluginOptions>): Promise<Limited> {
  const time = new FakeTime()
  time.pass(5_000)
  const host = machine({ ports: { clock: time.clock, timers: time.timers } })
  const plugin = await host.plugin({
    module: probe(),
    limits: { logLinesPerSecond: perSecond },
    ...options,
  })
  return {
    host,
    plugin,
    time,
    said: () => host.logs.map(({ level, message }) => `${level} ${message}`),
    send: (path = '/') =>
      host.send([plugin], { request: new Request(`http://shop.example${path}`) }),
  }
}

const LINES = (count: number): readonly unknown[] =>
  Array.from({ length: count }, (_, i) => ({ call: 'log', level: 3, message: `line ${i}` }))
const DROPPED = /(\d+) lines? (?:was|were) dropped: limits\.logLinesPerSecond is (\d+)/

/** What plugins said in one of their own lines of level warn. */
const own = (lines: readonly string[]): number =>
  lines.filter((one) => one.startsWith('3 line ')).length
const dropped = (lines: readonly string[]): number[] =>
  lines.flatMap((one) => DROPPED.exec(one)?.[1] ?? []).map(Number)

describe('a plugin that logs too much', () => {
  it('is heard so often in a second, and again a second later with the number of what was lost', async () => {
    const { plugin, said, send, time } = await limited(20, {
      configuration: script({ request_headers: LINES(100) }),
    })
    expect((await send()).status).toBe(200)
    const first = said().length
    expect(first).toBe(20)
    expect(plugin.counts.droppedLogLines).toBeGreaterThan(80)
    const before = plugin.counts.droppedLogLines
    time.pass(1_000)
    await send()
    expect(dropped(said())).toEqual([before])
    expect(said().length).toBe(first + 20 + 1)
  })

  it('is not limited at an ordinary pace', async () => {
    const { plugin, said, send, time } = await limited(50, {
      configuration: script({ request_headers: LINES(3) }),
    })
    for (let i = 0; i < 20; i++) {
      await send()
      time.pass(1_000)
    }
    expect(own(said())).toBe(60)
    expect([plugin.counts.droppedLogLines, dropped(said())]).toEqual([0, []])
  })

  it('leaves the lines of other plugins alone, and its requests go on', async () => {
    const { host, plugin, send } = await limited(5, {
      configuration: script({ request_headers: LINES(500) }),
    })
    const quiet = await host.plugin({
      module: probe(),
      name: 'quiet',
      limits: { logLinesPerSecond: 1_000 },
      configuration: script({ request_headers: LINES(2) }),
    })
    expect((await host.send([plugin, quiet], {})).status).toBe(200)
    expect(await send()).toHaveProperty('status', 200)
    const lines = host.logs.filter((entry) => entry.plugin === 'quiet' && entry.level === 3)
    expect(lines).toHaveLength(2)
  })

  it('is limited in what it writes to standard output as well', async () => {
    const calls = Array.from({ length: 50 }, () => 'request_headers log warn hi')
    const { plugin, host, send } = await limited(10, {
      module: moduleAt('test/fixtures/sdk-as/sdk-as.wasm'),
      configuration: calls.join('\n'),
    })
    await send()
    expect(host.logs).toHaveLength(10)
    expect(plugin.counts.droppedLogLines).toBeGreaterThanOrEqual(40)
  })

  it('has told of a trap, and of what was lost before it', async () => {
    const { said, send } = await limited(10, {
      configuration: script({
        request_headers: [...LINES(60), { call: 'trap', kind: 'unreachable' }],
      }),
    })
    expect((await send()).status).toBe(503)
    const lines = said()
    expect(dropped(lines)).toEqual([expect.any(Number)])
    expect(lines.at(-1)).toMatch(/^5 the plugin trapped: .*unreachable/)
  })

  it('is told of when it ends', async () => {
    const { plugin, said, send } = await limited(10, {
      configuration: script({ request_headers: LINES(60) }),
    })
    await (await send()).text()
    expect(dropped(said())).toEqual([])
    plugin.retire()
    expect(dropped(said())).toEqual([plugin.counts.droppedLogLines])
  })

  it('may be told to say nothing', async () => {
    const { said, send } = await limited(0, {
      module: moduleAt(GO),
      configuration: 'request_headers log warn hi',
    })
    expect((await send()).status).toBe(200)
    expect(said()).toEqual([])
  })

  it('has a thousand lines a second when nobody says otherwise', () => {
    expect(pluginSpec({ name: 'p', module: probe() }).limits.logLinesPerSecond).toBe(1_000)
  })

  it('has nothing taken from its allowance by lines below the level that is logged', async () => {
    const time = new FakeTime()
    time.pass(5_000)
    const logs: number[] = []
    const log = {
      level: LogLevel.Warn,
      log: ({ level }: { level: number }) => void logs.push(level),
    }
    const host = machine({ ports: { clock: time.clock, timers: time.timers, log } })
    const plugin = await host.plugin({
      module: probe(),
      limits: { logLinesPerSecond: 5 },
      configuration: script({
        request_headers: [
          ...Array.from({ length: 50 }, () => ({ call: 'log', level: 2, message: 'quiet' })),
          ...LINES(3),
        ],
      }),
    })
    await host.send([plugin], {})
    expect(logs).toEqual([3, 3, 3])
    expect(plugin.counts.droppedLogLines).toBe(0)
  })
})
