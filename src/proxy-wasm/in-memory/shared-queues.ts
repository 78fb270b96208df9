/**
 * Shared queues in this isolate's memory. An item may be taken by any vm that knows the queue's id;
 * only the last registrant is told that there is one.
 */
import { Status } from '../abi/enums.ts'
import type { ByteString, QueueListener, SharedQueuesPort } from '../ports.ts'

interface Queue {
  listener: QueueListener | undefined
  items: Uint8Array[]
  /** Index of the next item: shifting a long array would move all of it. */
  head: number
}

/** Taken items are dropped from the array once so many have gathered and they are most of it. */
const COMPACT_AT = 64

export class InMemorySharedQueues implements SharedQueuesPort {
  readonly #queues = new Map<number, Queue>()
  readonly #ids = new Map<string, number>()
  #lastId = 0

  register(vmId: string, name: ByteString, listener: QueueListener): number {
    const known = this.resolve(vmId, name)
    const queue = known === undefined ? undefined : this.#queues.get(known)
    if (known !== undefined && queue !== undefined) {
      queue.listener = listener
      return known
    }
    this.#lastId += 1
    this.#ids.set(keyOf(vmId, name), this.#lastId)
    this.#queues.set(this.#lastId, { listener, items: [], head: 0 })
    return this.#lastId
  }

  resolve(vmId: string, name: ByteString): number | undefined {
    return this.#ids.get(keyOf(vmId, name))
  }

  /**
   * Appends and tells the listener, once per item and before it returns: a host call is still running
   * then, so a listener may only put the event into its vm's own queue, never call the guest.
   */
  enqueue(queueId: number, item: Uint8Array): Status {
    const queue = this.#queues.get(queueId)
    if (queue === undefined) return Status.NotFound
    queue.items.push(item)
    queue.listener?.(queueId)
    return Status.Ok
  }

  dequeue(queueId: number): { readonly item: Uint8Array } | { readonly status: Status } {
    const queue = this.#queues.get(queueId)
    if (queue === undefined) return { status: Status.NotFound }
    const item = queue.items[queue.head]
    if (item === undefined) return { status: Status.Empty }
    queue.head += 1
    if (queue.head === queue.items.length) {
      queue.items = []
      queue.head = 0
    } else if (queue.head >= COMPACT_AT && queue.head * 2 > queue.items.length) {
      queue.items = queue.items.slice(queue.head)
      queue.head = 0
    }
    return { item }
  }

  /** Tells the listeners of every item that waits: those who heard of them may be no more. */
  announce(): void {
    for (const [id, { listener, items, head }] of this.#queues) {
      for (let item = head; item < items.length; item++) listener?.(id)
    }
  }

  release(listener: QueueListener): void {
    for (const queue of this.#queues.values()) {
      if (queue.listener === listener) queue.listener = undefined
    }
  }
}

/** The length in front keeps ("a", "b:c") and ("a:b", "c") apart. */
function keyOf(vmId: string, name: ByteString): string {
  return `${vmId.length}:${vmId}${name}`
}
