/** How long gRPC callouts may take, on a clock that tests move. */
import { describe, expect, it } from 'vitest'
import type { GrpcCall, GrpcCallsPort, GrpcEvent } from '../../src/proxy-wasm/index.ts'
import { FakeTime } from '../support/fake-time.ts'
import { type Machine, machine, probe, type ProbeLine, script } from '../support/machine.ts'
import { on } from '../support/play.ts'

/** A server that says what the test tells it to, when it does. */
class Server implements GrpcCallsPort {
  readonly calls: GrpcCall[] = []
  cancelled = 0
  readonly #waiting: ((event: GrpcEvent) => void)[] = []

  declares(): boolean {
    return true
  }

  start(call: GrpcCall): ReturnType<GrpcCallsPort['start']> {
    this.calls.push(call)
    return { events: this.#events(), cancel: () => void this.cancelled++ }
  }

  say(event: GrpcEvent): void {
    this.#waiting.shift()?.(event)
  }

  async *#events(): AsyncGenerator<GrpcEvent, void, void> {
    for (;;) yield await new Promise<GrpcEvent>((resolve) => void this.#waiting.push(resolve))
  }
}

const TARGET = { upstream: 'echo', service: 's', method: 'm', label: 'a' }
const STREAM = [
  { call: 'grpc_stream', ...TARGET },
  { call: 'grpc_send', label: 'a', message: 'x', end_of_stream: 1 },
]
const MESSAGE: GrpcEvent = { kind: 'message', message: Uint8Array.of(1) }

async function begin(steps: readonly object[]): Promise<{
  readonly time: FakeTime
  readonly server: Server
  readonly host: Machine
}> {
  const time = new FakeTime()
  const server = new Server()
  const { clock, timers } = time
  const host = machine({ ports: { clock, timers, grpcCalls: server } })
  const plugin = await host.plugin({
    module: probe(),
    configuration: script({ request_headers: steps }),
  })
  await host.send([plugin])
  return { time, server, host }
}

const closes = (host: Machine): ProbeLine[] => on(host.lines(), 'grpc_close')

describe('a unary call', () => {
  it.each([
    ['its own timeout', 200, 200],
    ['30 s without one', 0, 30_000],
    ['30 s at the most', 90_000, 30_000],
  ])('ends after %s', async (_, timeout, after) => {
    const { time, server, host } = await begin([
      { call: 'grpc_call', ...TARGET, message: 'x', timeout_ms: timeout },
    ])
    expect(server.calls).toMatchObject([{ timeoutMs: timeout }])
    await time.advance(after - 1)
    expect(closes(host)).toEqual([])
    await time.advance(1)
    expect(closes(host)).toMatchObject([{ token: 5, status: 4 }])
    expect([server.cancelled, time.pending]).toEqual([1, 0])
  })

  it('that was answered leaves no timer behind', async () => {
    const { time, server, host } = await begin([{ call: 'grpc_call', ...TARGET, message: 'x' }])
    server.say(MESSAGE)
    await time.advance(1)
    server.say({ kind: 'close', status: 0, message: '' })
    await time.advance(1)
    expect(on(host.lines(), 'grpc_receive')).toHaveLength(1)
    expect(time.pending).toBe(0)
  })
})

describe('a stream', () => {
  it('ends when nothing has come for 30 s, counted from the last message', async () => {
    const { time, server, host } = await begin(STREAM)
    await time.advance(29_000)
    server.say(MESSAGE)
    await time.advance(29_000)
    expect(closes(host)).toEqual([])
    await time.advance(1_100)
    expect(closes(host)).toMatchObject([{ token: 6, status: 4 }])
    expect(server.cancelled).toBe(1)
  })

  it('that never gets its message ends, too', async () => {
    const { time, server, host } = await begin(STREAM.slice(0, 1))
    await time.advance(30_000)
    expect(server.calls).toEqual([])
    expect(closes(host)).toMatchObject([{ token: 6, status: 4 }])
    expect(time.pending).toBe(0)
  })
})
