/** LiveConfig with a store that works: when it reads, and when it does not. */
import { describe, expect, it } from 'vitest'
import { pointerTo, testGateway } from './testing/test-gateway.ts'

describe('a warm gateway', () => {
  it('answers from memory, without a promise, while it is fresh', async () => {
    const node = testGateway()
    await node.publish('one', 1)
    expect(await node.request()).toBe('one')
    const reads = node.source.reads.length
    node.clock.advance(29_000)
    expect(node.live.current(node.scope)).not.toBeInstanceOf(Promise)
    expect(node.source.reads).toHaveLength(reads)
  })

  it('serves the old snapshot while one request reads the new one in the background', async () => {
    const node = testGateway()
    await node.publish('one', 1)
    await node.request()
    await node.publish('two', 2)
    node.clock.advance(30_001)
    expect(await node.request()).toBe('one')
    expect(await node.request()).toBe('two')
    expect(node.live.status()).toMatchObject({ revision: 2, origin: 'active', refusals: [] })
  })

  it('begins one read however many requests find the snapshot old', async () => {
    const node = testGateway()
    await node.publish('one', 1)
    await node.request()
    node.clock.advance(31_000)
    const reads = node.source.reads.length
    await Promise.all([node.request(), node.request(), node.request()])
    expect(node.source.reads.length - reads).toBe(1)
  })

  it('reads before routing when what runs is older than the limit', async () => {
    const node = testGateway()
    await node.publish('one', 1)
    await node.request()
    await node.publish('two', 2)
    node.clock.advance(60_001)
    expect(await node.request()).toBe('two')
  })

  it('waits 250 ms for a slow store and then goes on with what runs', async () => {
    const node = testGateway()
    await node.publish('one', 1)
    await node.request()
    node.clock.advance(120_000)
    node.source.delayMs = 2_000
    const config = node.live.current(node.scope)
    expect(config).toBeInstanceOf(Promise)
    const before = node.clock.now()
    expect((await node.clock.until(Promise.resolve(config), 300))?.running).toBe('one')
    expect(node.clock.now() - before).toBe(250)
  })

  it('lets a request that comes during such a read wait no longer than the read', async () => {
    const node = testGateway()
    await node.publish('one', 1)
    await node.request()
    await node.publish('two', 2)
    node.clock.advance(120_000)
    node.source.delayMs = 20
    const requests = [node.live.current(node.scope), node.live.current(node.scope)]
    const configs = await node.clock.until(Promise.all(requests), 200)
    expect(configs.map((config) => config?.running)).toEqual(['two', 'two'])
    expect(node.source.reads.filter((key) => key === 'active')).toHaveLength(2)
  })

  it('takes over a read whose request died', async () => {
    const node = testGateway()
    await node.publish('one', 1)
    await node.request()
    await node.publish('two', 2)
    node.clock.advance(31_000)
    node.source.hang()
    node.live.current(node.scope)
    node.source.answerAgain()
    node.clock.advance(10_001)
    expect(await node.request()).toBe('one')
    expect(await node.request()).toBe('two')
  })

  it('runs the same snapshot under a new revision without starting it again', async () => {
    const node = testGateway()
    const hash = await node.publish('one', 1)
    await node.request()
    node.point(pointerTo(7, hash))
    node.clock.advance(31_000)
    await node.request()
    expect(node.live.status().revision).toBe(7)
    expect(node.activated).toEqual(['one'])
  })

  it('reads at once when it is told to refresh', async () => {
    const node = testGateway()
    await node.publish('one', 1)
    await node.request()
    await node.publish('two', 2)
    expect(await node.live.refresh(node.scope)).toMatchObject({ revision: 2 })
    expect(await node.request()).toBe('two')
  })
})
