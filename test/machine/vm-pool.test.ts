import { describe, expect, it } from 'vitest'
import { inMemoryPorts, Plugin, pluginSpec, VmPool, vmKey } from '../../src/proxy-wasm/index.ts'
import { runFetchStream, runIn, standaloneIo } from '../../src/proxy-wasm/index.ts'
import { probe } from '../support/machine.ts'

const QUIET = JSON.stringify({ steps: {}, quiet: true })
const PAUSED = JSON.stringify({
  quiet: true,
  steps: { request_headers: [{ call: 'return', action: 1 }] },
})

/** A pool with a clock that stands still until it is told, and a budget in bytes. */
function poolWith(memoryBudget?: number): { pool: VmPool; clock: { ms: number } } {
  const clock = { ms: 1_000_000 }
  const nanos = (): bigint => BigInt(clock.ms) * 1_000_000n
  const ports = inMemoryPorts({
    clock: { realtime: nanos, monotonic: nanos },
    log: { level: 5, log: () => undefined },
  })
  return { pool: new VmPool(ports, memoryBudget), clock }
}

async function pluginIn(pool: VmPool, name: string, configuration = QUIET): Promise<Plugin> {
  const spec = pluginSpec({ name, module: probe('headers-only'), configuration })
  return new Plugin(spec, await vmKey(spec), pool)
}

function send(pool: VmPool, plugin: Plugin): Promise<Response> {
  return runFetchStream({
    plugins: [plugin],
    pool,
    request: new Request('http://shop.example/'),
    io: standaloneIo(),
    info: { startTime: 0n },
    forward: async () => new Response(null),
  })
}

describe('the pool of vms', () => {
  it('takes the vm of the plugin that was used longest ago when guests hold more than the budget', async () => {
    const { pool } = poolWith()
    const first = await pluginIn(pool, 'first')
    await send(pool, first)
    const each = pool.memoryBytes
    const small = poolWith(each * 2)
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => pluginIn(small.pool, name)))
    if (!a || !b || !c) throw new Error('three plugins')
    await send(small.pool, a)
    await send(small.pool, b)
    await send(small.pool, a)
    await send(small.pool, c)
    expect([a.state, b.state, c.state]).toEqual(['running', 'idle', 'running'])
    expect(small.pool.size).toBe(2)
    await send(small.pool, b)
    expect(b.state).toBe('running')
  })

  it('keeps the vm of a plugin with streams, whatever the budget', async () => {
    const { pool } = poolWith(1)
    const busy = await pluginIn(pool, 'busy', PAUSED)
    const waiting = send(pool, busy)
    await send(pool, await pluginIn(pool, 'other'))
    expect(busy.state).toBe('running')
    runIn(standaloneIo(), () => busy.retire())
    pool.sweep()
    expect(pool.size).toBe(2)
    void waiting
  })

  it('ends streams that still run ten minutes after their plugin was replaced', async () => {
    const { pool, clock } = poolWith()
    const plugin = await pluginIn(pool, 'slow', PAUSED)
    const response = send(pool, plugin)
    runIn(standaloneIo(), () => plugin.retire())
    clock.ms += 9 * 60_000
    pool.sweep()
    expect(pool.size).toBe(1)
    clock.ms += 60_001
    pool.sweep()
    expect((await response).status).toBe(503)
    expect(pool.size).toBe(0)
  })
})
