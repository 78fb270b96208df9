/** Shared queues: ids, order, and who is told. */
import { describe, expect, it } from 'vitest'
import { Status } from '../abi/enums.ts'
import { InMemorySharedQueues } from './shared-queues.ts'

const item = (value: number): Uint8Array => Uint8Array.of(value)
const ignore = (): void => {}

describe('shared queues', () => {
  it('have ids that are never 0 and are found by vm id and name', () => {
    const queues = new InMemorySharedQueues()
    const id = queues.register('vm', 'jobs', ignore)
    expect(id).toBeGreaterThan(0)
    expect(queues.resolve('vm', 'jobs')).toBe(id)
    expect(queues.resolve('other', 'jobs')).toBeUndefined()
    expect(queues.register('v', 'mjobs', ignore)).not.toBe(id)
  })

  it('give items out in order, then are empty', () => {
    const queues = new InMemorySharedQueues()
    const id = queues.register('vm', 'jobs', ignore)
    queues.enqueue(id, item(1))
    queues.enqueue(id, item(2))
    expect(queues.dequeue(id)).toEqual({ item: item(1) })
    expect(queues.dequeue(id)).toEqual({ item: item(2) })
    expect(queues.dequeue(id)).toEqual({ status: Status.Empty })
  })

  it('keep order through thousands of items', () => {
    const queues = new InMemorySharedQueues()
    const id = queues.register('vm', 'jobs', ignore)
    const taken: number[] = []
    const take = (): void => {
      const next = queues.dequeue(id)
      if ('item' in next) taken.push(new DataView(next.item.buffer).getUint32(0))
    }
    for (let n = 0; n < 3000; n++) {
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setUint32(0, n)
      queues.enqueue(id, bytes)
      if (n % 3 !== 0) take()
    }
    while (taken.length < 3000) take()
    expect(taken).toEqual(Array.from({ length: 3000 }, (_, n) => n))
  })

  it('tell the last registrant, once per item, and keep the items', () => {
    const queues = new InMemorySharedQueues()
    const told: string[] = []
    const id = queues.register('vm', 'jobs', () => told.push('first'))
    queues.enqueue(id, item(1))
    expect(queues.register('vm', 'jobs', (queueId) => told.push(`second ${queueId}`))).toBe(id)
    queues.enqueue(id, item(2))
    queues.enqueue(id, item(3))
    expect(told).toEqual(['first', `second ${id}`, `second ${id}`])
    expect(queues.dequeue(id)).toEqual({ item: item(1) })
  })

  it('keep their items when their vm goes away, and tell nobody', () => {
    const queues = new InMemorySharedQueues()
    const told: number[] = []
    const listener = (queueId: number): void => void told.push(queueId)
    const id = queues.register('vm', 'jobs', listener)
    queues.release(listener)
    expect(queues.enqueue(id, item(1))).toBe(Status.Ok)
    expect(told).toEqual([])
    expect(queues.dequeue(id)).toEqual({ item: item(1) })
  })

  it('are NotFound when never registered', () => {
    const queues = new InMemorySharedQueues()
    expect(queues.enqueue(1, item(1))).toBe(Status.NotFound)
    expect(queues.dequeue(1)).toEqual({ status: Status.NotFound })
  })
})

it('announces again what waits, to whoever listens now', () => {
  const queues = new InMemorySharedQueues()
  const heard: number[] = []
  const id = queues.register('vm', 'q', () => undefined)
  for (let i = 0; i < 3; i++) queues.enqueue(id, new Uint8Array(1))
  queues.dequeue(id)
  queues.register('vm', 'q', (queue) => heard.push(queue))
  queues.announce()
  expect(heard).toEqual([id, id])
})
