/** LiveConfig with something running and a store that breaks: what runs goes on. */
import { describe, expect, it } from 'vitest'
import type { ReportLate } from './activation.ts'
import type { ActivePointer } from './active-pointer.ts'
import { nameSnapshot } from './compile.ts'
import type { LiveConfigOptions } from './live-config.ts'
import type { Snapshot } from './snapshot.ts'
import { pointerTo, snapshotOf, testGateway } from './testing/test-gateway.ts'
import type { TestGateway } from './testing/test-gateway.ts'

async function warm(options: Partial<LiveConfigOptions<string>> = {}): Promise<TestGateway> {
  const node = testGateway(options)
  await node.publish('one', 5)
  await node.request()
  node.clock.advance(31_000)
  return node
}

describe('a warm gateway whose store is broken', () => {
  it.each([
    ['is not JSON', '{"revision":', 'config.pointer_invalid'],
    ['is a list', '[]', 'config.pointer_invalid'],
    ['has a revision that is no number', '{"revision":"6"}', 'config.pointer_invalid'],
    [
      'names no sha256',
      '{"revision":6,"snapshot":"x","previous":null,"issuedAt":"2026-11-01T00:00:00Z"}',
      'config.pointer_invalid',
    ],
    ['is empty', '', 'config.pointer_invalid'],
  ])('keeps serving when the pointer %s', async (_what, value, code) => {
    const node = await warm()
    node.source.values.set('active', value)
    expect(await node.request()).toBe('one')
    expect(await node.request()).toBe('one')
    expect(node.codes()).toEqual([code])
  })

  it('keeps serving when the pointer is gone', async () => {
    const node = await warm()
    node.source.values.delete('active')
    await node.request()
    expect(await node.request()).toBe('one')
    expect(node.codes()).toEqual(['config.pointer_missing'])
  })

  it('keeps serving when the store cannot be read, and asks less often', async () => {
    const node = await warm()
    node.source.failure = new Error('KV GET failed: 500')
    for (let second = 0; second < 60; second += 1) {
      expect(await node.request()).toBe('one')
      node.clock.advance(1_000)
    }
    expect(node.live.status().refusals).toEqual([
      expect.objectContaining({
        code: 'config.source_unavailable',
        message: 'KV GET failed: 500',
        revision: 0,
      }),
    ])
    expect(node.source.reads.filter((key) => key === 'active').length).toBeLessThan(9)
    node.source.failure = undefined
    await node.publish('two', 6)
    node.clock.advance(31_000)
    await node.request()
    expect(await node.request()).toBe('two')
  })

  it('refuses an older revision and says so', async () => {
    const node = await warm()
    await node.publish('two', 4)
    await node.request()
    expect(await node.request()).toBe('one')
    expect(node.live.status().refusals).toEqual([
      expect.objectContaining({ code: 'config.revision_older', revision: 4 }),
    ])
  })

  it('refuses another snapshot under the revision that runs', async () => {
    const node = await warm()
    await node.publish('two', 5)
    await node.request()
    expect(await node.request()).toBe('one')
    expect(node.codes()).toEqual(['config.revision_reused'])
  })

  it('treats a snapshot that is not there yet as pending, and takes it when it comes', async () => {
    const node = await warm()
    const { hash, text } = await nameSnapshot(snapshotOf('two'))
    node.point(pointerTo(6, hash))
    await node.request()
    expect(node.live.status()).toMatchObject({
      revision: 5,
      pending: { revision: 6, snapshot: hash },
      refusals: [],
    })
    node.source.values.set(`snapshot.${hash}`, text)
    node.clock.advance(1_001)
    await node.request()
    expect(await node.request()).toBe('two')
    expect(node.live.status()).toMatchObject({ revision: 6, pending: null })
  })

  it('refuses a snapshot that is not what its name says', async () => {
    const node = await warm()
    const hash = await node.publish('two', 6)
    node.source.values.set(`snapshot.${hash}`, '{"schema":1')
    await node.request()
    expect(await node.request()).toBe('one')
    expect(node.codes()).toEqual(['config.snapshot_hash'])
  })

  it.each([
    ['of a newer schema', { schema: 3 }, 'config.schema_newer'],
    ['of no schema', { schema: '2' }, 'config.snapshot_invalid'],
    ['that is not an object', 'x', 'config.snapshot_invalid'],
    ['with a member nobody knows', { ...snapshotOf('x'), extra: 1 }, 'config.snapshot_invalid'],
    [
      'whose chain names no plugin',
      { ...snapshotOf('x'), gatewayPlugins: ['a.b'] },
      'config.snapshot_invalid',
    ],
  ])('refuses a snapshot %s', async (_what, value, code) => {
    const node = await warm()
    const { hash, text } = await nameSnapshot(value as Snapshot)
    node.source.values.set(`snapshot.${hash}`, text)
    node.point(pointerTo(6, hash))
    await node.request()
    expect(await node.request()).toBe('one')
    expect(node.live.status().refusals).toEqual([expect.objectContaining({ code, revision: 6 })])
  })

  it('keeps the old snapshot when the new one cannot be activated', async () => {
    const node = await warm({
      activate: (snapshot) => {
        const [running = ''] = Object.keys(snapshot.upstreams)
        if (running === 'two') throw new Error('module 00 is not bound')
        return Promise.resolve({ running, plugins: [] })
      },
    })
    await node.publish('two', 6)
    await node.request()
    expect(await node.request()).toBe('one')
    expect(node.codes()).toEqual(['config.activation_failed'])
  })

  it('goes live with the rest when one plugin stays on its last good version', async () => {
    const node = await warm({
      activate: (snapshot) => {
        const [running = ''] = Object.keys(snapshot.upstreams)
        const outcome = { plugin: 'default.a', outcome: 'last-good', reason: 'no' } as const
        return Promise.resolve({ running, plugins: running === 'two' ? [outcome] : [] })
      },
    })
    await node.publish('two', 6)
    await node.request()
    expect(await node.request()).toBe('two')
    expect(node.live.status().refusals).toEqual([
      {
        code: 'plugin.not_activated',
        message: 'default.a did not start (no); its last good version runs',
        at: '2026-11-01T00:00:31.000Z',
        revision: 6,
        plugin: 'default.a',
      },
    ])
  })

  it('says so when a plugin is needed and does not start, under the revision that runs', async () => {
    let late: ReportLate = () => undefined
    const node = await warm({
      activate: (snapshot, _scope, report) => {
        late = report
        return Promise.resolve({ running: Object.keys(snapshot.upstreams)[0] ?? '', plugins: [] })
      },
    })
    await node.publish('two', 6)
    await node.request()
    late({
      plugin: 'default.a',
      outcome: 'last-good',
      code: 'plugin.start_failed',
      reason: 'it trapped',
    })
    expect(node.live.status().refusals).toEqual([
      {
        code: 'plugin.start_failed',
        message: 'default.a did not start (it trapped); its last good version runs',
        at: '2026-11-01T00:00:31.000Z',
        revision: 6,
        plugin: 'default.a',
      },
    ])
  })

  it('keeps what a bad release of many plugins refused, whole', async () => {
    const plugins = Array.from({ length: 100 }, (_, i) => ({
      plugin: `default.p${i}`,
      outcome: 'last-good' as const,
      reason: 'no',
    }))
    const node = await warm({
      activate: () => Promise.resolve({ running: 'any', plugins }),
    })
    expect(new Set(node.live.status().refusals.map(({ plugin }) => plugin)).size).toBe(100)
  })

  it('takes what is far too long for a pointer as none', async () => {
    const node = await warm()
    const { snapshot } = JSON.parse(node.source.values.get('active') ?? '') as ActivePointer
    node.source.values.set('active', JSON.stringify(pointerTo(6, snapshot)).padEnd(20_000))
    await node.request()
    expect(node.codes()).toEqual(['config.pointer_invalid'])
  })

  it('forgets what was pending when the pointer goes back', async () => {
    const node = await warm()
    const before = node.source.values.get('active') ?? ''
    node.point(pointerTo(6, 'f'.repeat(64)))
    await node.request()
    expect(node.live.status().pending).toMatchObject({ revision: 6 })
    node.source.values.set('active', before)
    node.clock.advance(31_000)
    await node.request()
    expect(node.live.status().pending).toBeNull()
  })
})
