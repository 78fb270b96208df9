/**
 * The way from plugins on the request path to singletons: the port, and the shared queues through which
 * it is used. A singleton's queues are in another place, and a host call cannot wait: so resolving one
 * answers at once, and what is enqueued is sent behind the request that did it.
 */
import type { Snapshot } from '../config/snapshot.ts'
import type { Counter } from '../observe/index.ts'
import {
  type ByteString,
  type QueueListener,
  runningIo,
  type SharedQueuesPort,
  Status,
} from '../proxy-wasm/index.ts'
import { InMemorySharedQueues } from '../proxy-wasm/in-memory/shared-queues.ts'

/** An item for a queue that a singleton has registered. */
export interface QueueItem {
  readonly vmId: string
  readonly name: ByteString
  readonly item: Uint8Array
}

/** Items in the order in which they were enqueued. A sender numbers its batches from 1. */
export interface QueueBatch {
  readonly sender: string
  readonly sequence: number
  readonly items: readonly QueueItem[]
}

/** Where the singletons are. Calls belong to the request that makes them. */
export interface Singletons {
  /** The configuration may have changed. */
  wake(): Promise<void>
  /** @throws when it was not taken in */
  enqueue(batch: QueueBatch): Promise<void>
}

/** Ids of queues that are elsewhere: above all that an isolate would ever give. */
const ELSEWHERE = 0x8000_0000
const NAMES_MAX = 1_000
const BATCH_ITEMS = 500
/** What may wait to be sent: beyond it a queue is full. */
const WAITING_ITEMS = 10_000
const WAITING_BYTES = 4 * 1024 * 1024
const TRIES = 4
const RETRY_MS = 100
/** After this long, whoever was sending has gone with its request. */
const SENDER_LOST_MS = 10_000

export class SingletonQueues implements SharedQueuesPort {
  readonly #local = new InMemorySharedQueues()
  readonly #singletons: Pick<Singletons, 'enqueue'>
  readonly #dropped: Counter
  #vmIds: ReadonlySet<string> = new Set()
  readonly #elsewhere: Pick<QueueItem, 'vmId' | 'name'>[] = []
  #waiting: QueueItem[] = []
  #waitingBytes = 0
  #sender: string | undefined
  #sequence = 0
  /** The batch that has been sent and not been taken in yet. */
  #batch: QueueBatch | undefined
  #sending: { readonly since: number } | undefined

  /** @param dropped - counts items that could not be sent */
  constructor(singletons: Pick<Singletons, 'enqueue'>, dropped: Counter) {
    this.#singletons = singletons
    this.#dropped = dropped
  }

  /** The vm ids whose queues may be elsewhere: those of the snapshot's singletons. */
  follow(snapshot: Snapshot): void {
    const singletons = Object.values(snapshot.plugins).filter(({ singleton }) => singleton)
    this.#vmIds = new Set(singletons.map(({ vmId }) => vmId))
  }

  register(vmId: string, name: ByteString, listener: QueueListener): number {
    return this.#local.register(vmId, name, listener)
  }

  /** A queue of this isolate, else one of a singleton with that vm id, which may be there or come yet. */
  resolve(vmId: string, name: ByteString): number | undefined {
    const local = this.#local.resolve(vmId, name)
    if (local !== undefined || !this.#vmIds.has(vmId)) return local
    const known = this.#elsewhere.findIndex((queue) => queue.vmId === vmId && queue.name === name)
    if (known >= 0) return ELSEWHERE + known
    // a plugin may make names of what clients send
    if (this.#elsewhere.length === NAMES_MAX) return undefined
    return ELSEWHERE + this.#elsewhere.push({ vmId, name }) - 1
  }

  enqueue(queueId: number, item: Uint8Array): Status {
    const queue = this.#elsewhere[queueId - ELSEWHERE]
    if (queue === undefined) return this.#local.enqueue(queueId, item)
    if (this.#waiting.length >= WAITING_ITEMS || this.#waitingBytes > WAITING_BYTES) {
      this.#dropped.add()
      // the one refusal that no SDK panics on
      return Status.NotFound
    }
    this.#waiting.push({ ...queue, item })
    this.#waitingBytes += item.length
    const now = Date.now()
    if (this.#sending === undefined || now - this.#sending.since > SENDER_LOST_MS) {
      const sending = { since: now }
      this.#sending = sending
      runningIo().waitUntil(this.#send(sending))
    }
    return Status.Ok
  }

  dequeue(queueId: number): { readonly item: Uint8Array } | { readonly status: Status } {
    // what is in it is the singleton's to take
    if (this.#elsewhere[queueId - ELSEWHERE] !== undefined) return { status: Status.Empty }
    return this.#local.dequeue(queueId)
  }

  release(listener: QueueListener): void {
    this.#local.release(listener)
  }

  /** Sends all that waits, batch by batch. Never rejects. */
  async #send(sending: { readonly since: number }): Promise<void> {
    // a batch that a lost sender left goes first, under its number: it may have arrived
    for (let batch = this.#batch ?? this.#next(); batch !== undefined; batch = this.#next()) {
      this.#batch = batch
      const sent = await this.#sendOne(batch)
      if (this.#sending !== sending) return
      if (!sent) this.#dropped.add(batch.items.length)
      this.#batch = undefined
    }
    this.#sending = undefined
  }

  async #sendOne(batch: QueueBatch): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#singletons.enqueue(batch)
        return true
      } catch {
        if (tries === TRIES) return false
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * 2 ** tries))
      }
    }
  }

  #next(): QueueBatch | undefined {
    if (this.#waiting.length === 0) return undefined
    const items = this.#waiting.slice(0, BATCH_ITEMS)
    this.#waiting = this.#waiting.slice(BATCH_ITEMS)
    for (const { item } of items) this.#waitingBytes -= item.length
    this.#sender ??= crypto.randomUUID()
    this.#sequence += 1
    return { sender: this.#sender, sequence: this.#sequence, items }
  }
}
