/** Items on their way from the request path to singletons. */
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../config/snapshot.ts'
import { Counter } from '../observe/index.ts'
import { runIn, Status } from '../proxy-wasm/index.ts'
import { type QueueBatch, SingletonQueues } from './singletons.ts'

const snapshot = {
  plugins: { 'default.taker': { vmId: 'jobs', singleton: true }, 'default.other': { vmId: 'own' } },
} as unknown as Snapshot

function queues(deliver: (batch: QueueBatch) => Promise<void> = async () => undefined) {
  const batches: QueueBatch[] = []
  const dropped = new Counter()
  const port = new SingletonQueues(
    {
      enqueue(batch) {
        batches.push(batch)
        return deliver(batch)
      },
    },
    dropped,
  )
  port.follow(snapshot)
  const pending: Promise<unknown>[] = []
  const io = { waitUntil: (promise: Promise<unknown>) => void pending.push(promise), gone: false }
  const put = (id: number, text: string): Status =>
    runIn(io, () => port.enqueue(id, new TextEncoder().encode(text)))
  const texts = (): string[][] =>
    batches.map(({ items }) => items.map(({ item }) => new TextDecoder().decode(item)))
  return { port, put, pending, batches, dropped, texts }
}

describe('queues', () => {
  it('of a vm id with a singleton are there at once, others as in one isolate', () => {
    const { port } = queues()
    const id = port.resolve('jobs', 'orders')
    expect(id).toBeGreaterThan(0x7fff_ffff)
    expect(port.resolve('jobs', 'orders')).toBe(id)
    expect(port.resolve('jobs', 'returns')).not.toBe(id)
    expect(port.resolve('own', 'orders')).toBeUndefined()
    const own = port.register('own', 'orders', () => undefined)
    expect(port.resolve('own', 'orders')).toBe(own)
  })

  it('that this isolate has registered itself are its own', () => {
    const { port } = queues()
    const own = port.register('jobs', 'orders', () => undefined)
    expect(port.resolve('jobs', 'orders')).toBe(own)
  })

  it('of singletons are empty to others', () => {
    const { port } = queues()
    const id = port.resolve('jobs', 'orders') ?? 0
    expect(port.dequeue(id)).toEqual({ status: Status.Empty })
    expect(port.dequeue(id + 9)).toEqual({ status: Status.NotFound })
  })
})

describe('items', () => {
  it('are sent in order behind the request, and together while another batch is on its way', async () => {
    const first = Promise.withResolvers<void>()
    const { port, put, pending, texts, batches } = queues(({ sequence }) =>
      sequence === 1 ? first.promise : Promise.resolve(),
    )
    const id = port.resolve('jobs', 'orders') ?? 0
    for (const text of ['a', 'b', 'c']) expect(put(id, text)).toBe(Status.Ok)
    expect(pending).toHaveLength(1)
    first.resolve()
    await Promise.all(pending)
    expect(texts()).toEqual([['a'], ['b', 'c']])
    expect(batches.map(({ sequence }) => sequence)).toEqual([1, 2])
    expect(batches[0]?.items[0]).toMatchObject({ vmId: 'jobs', name: 'orders' })
  })

  it('are sent again under the same number when that failed, and given up in the end', async () => {
    let fails = 2
    const { port, put, pending, batches, dropped } = queues(async () => {
      if (fails-- > 0) throw new Error('down')
    })
    const id = port.resolve('jobs', 'orders') ?? 0
    put(id, 'a')
    await Promise.all(pending)
    expect(batches.map(({ sequence }) => sequence)).toEqual([1, 1, 1])
    expect(dropped.value).toBe(0)
    fails = 99
    put(id, 'b')
    await Promise.all(pending)
    expect([batches.length, dropped.value]).toEqual([7, 1])
    fails = 0
    put(id, 'c')
    await Promise.all(pending)
    expect(batches.at(-1)?.sequence).toBe(3)
  })

  it('beyond what may wait are refused with what no SDK panics on', () => {
    const { port, put, dropped } = queues(() => new Promise(() => undefined))
    const id = port.resolve('jobs', 'orders') ?? 0
    for (let i = 0; i < 10_001; i++) put(id, 'x')
    expect(put(id, 'one too many')).toBe(Status.NotFound)
    expect(dropped.value).toBe(1)
  })
})
