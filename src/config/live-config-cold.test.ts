/** LiveConfig with nothing running yet: what a first request gets. */
import { describe, expect, it } from 'vitest'
import { nameSnapshot } from './compile.ts'
import type { FakeSource } from './testing/fake-source.ts'
import { snapshotOf, testGateway } from './testing/test-gateway.ts'

describe('a gateway that starts cold', () => {
  it('has nothing to run when the store is empty', async () => {
    const node = testGateway()
    expect(await node.request()).toBeUndefined()
    const status = node.live.status()
    expect(status).toMatchObject({ revision: 0, snapshot: null, origin: 'none', refusals: [] })
  })

  it('does not ask again within a second, then does', async () => {
    const node = testGateway()
    await node.request()
    await node.publish('one', 1)
    expect(await node.request()).toBeUndefined()
    node.clock.advance(1_000)
    expect(await node.request()).toBe('one')
  })

  it('reads once for many first requests', async () => {
    const node = testGateway()
    await node.publish('one', 1)
    node.source.delayMs = 10
    const configs = [1, 2, 3].map(() => node.live.current(node.scope))
    const answers = await node.clock.until(Promise.all(configs), 100)
    expect(answers.map((config) => config?.running)).toEqual(['one', 'one', 'one'])
    expect(node.activated).toEqual(['one'])
  })

  it('lets a waiting request take over when the first one died', async () => {
    let calls = 0
    const node = testGateway({
      activate: () => {
        calls += 1
        if (calls === 1) return new Promise(() => undefined)
        return Promise.resolve({ running: 'started', plugins: [] })
      },
    })
    await node.publish('one', 1)
    void node.live.current(node.scope)
    const second = Promise.resolve(node.live.current(node.scope))
    expect((await node.clock.until(second, 12_000))?.running).toBe('started')
  })

  it('runs the previous snapshot when the active one is broken, and the active one once it is whole', async () => {
    const node = testGateway()
    const old = await node.publish('old')
    const hash = await node.publish('new', 3, old)
    const text = node.source.values.get(`snapshot.${hash}`) ?? ''
    node.source.values.set(`snapshot.${hash}`, text.slice(0, -1))
    expect(await node.request()).toBe('old')
    expect(node.live.status()).toMatchObject({ revision: 0, origin: 'previous', snapshot: old })
    node.source.values.set(`snapshot.${hash}`, text)
    node.clock.advance(1_001)
    await node.request()
    expect(await node.request()).toBe('new')
    expect(node.live.status()).toMatchObject({ revision: 3, origin: 'active' })
  })

  it.each([
    ['the store is empty', (source: FakeSource) => source.values.clear()],
    ['the store is down', (source: FakeSource) => void (source.failure = new Error('down'))],
    ['the pointer is broken', (source: FakeSource) => void source.values.set('active', '{')],
    ['both snapshots are gone', (source: FakeSource) => dropSnapshots(source)],
    ['the store never answers', (source: FakeSource) => source.hang()],
  ])('runs the baseline when %s', async (_what, breakIt) => {
    const baseline = await nameSnapshot(snapshotOf('baseline'))
    const node = testGateway({ baseline })
    const old = await node.publish('old')
    await node.publish('new', 3, old)
    breakIt(node.source)
    const config = Promise.resolve(node.live.current(node.scope))
    expect((await node.clock.until(config, 4_000))?.running).toBe('baseline')
    expect(node.live.status()).toMatchObject({ revision: 0, origin: 'baseline' })
  })
})

function dropSnapshots(source: FakeSource): void {
  for (const key of source.values.keys()) {
    if (key.startsWith('snapshot.')) source.values.delete(key)
  }
}
