/**
 * The load generator, a process of its own: keep-alive connections, one request at a time on each
 * (no pipelining), just enough parsing to know where an answer ends. It takes orders over IPC, one
 * run after the other, so that its own code is warm when the first run counts.
 */
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { percentile } from './statistics.ts'
import { requestHead, SESSIONS } from './traffic.ts'

export interface LoadOrder {
  readonly port: number
  readonly path: string
  readonly connections: number
  /** The run ends at whichever bound is reached first. */
  readonly seconds: number
  readonly requests: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Answers that were not 200, and connections that broke. */
  readonly failures: number
  readonly p50Millis: number
  readonly p99Millis: number
  /** CPU of the load generator itself, to see that it is not what limits. */
  readonly cpuSeconds: number
}

const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = '0\r\n\r\n'
const READ_BYTES = 256 * 1024
/** How much longer than asked for a run may take until its connections are cut. */
const GRACE_MS = 5_000

class Run {
  readonly #order: LoadOrder
  /** One for each session, sent in turn. */
  readonly #requests: readonly string[]
  readonly #latencies: number[] = []
  readonly #startedAt = performance.now()
  readonly #stopAt: number
  readonly #cpu = process.cpuUsage()
  readonly #done: (result: LoadResult) => void
  #begun = 0
  #failures = 0
  #open: number

  static start(order: LoadOrder, done: (result: LoadResult) => void): void {
    const run = new Run(order, done)
    for (let i = 0; i < order.connections; i++) run.#connect()
  }

  private constructor(order: LoadOrder, done: (result: LoadResult) => void) {
    this.#order = order
    this.#requests = Array.from({ length: SESSIONS }, (_, one) => requestHead(order.path, one))
    this.#stopAt = this.#startedAt + order.seconds * 1000
    this.#done = done
    this.#open = order.connections
  }

  #connect(): void {
    let sentAt = 0
    const answer = new Answer()
    const next = (): void => {
      sentAt = performance.now()
      if (sentAt >= this.#stopAt || this.#begun >= this.#order.requests) {
        socket.destroy()
        return
      }
      socket.write(this.#requests[this.#begun++ % SESSIONS] ?? '')
    }
    const socket = connect({
      port: this.#order.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(READ_BYTES),
        callback: (size, buffer) => {
          if (!answer.take(buffer.subarray(0, size) as Buffer)) return true
          this.#latencies.push(performance.now() - sentAt)
          if (!answer.ok) this.#failures++
          next()
          return true
        },
      },
    })
    const cut = setTimeout(
      () => socket.destroy(new Error('late')),
      this.#order.seconds * 1000 + GRACE_MS,
    )
    socket.on('connect', next)
    socket.on('error', () => this.#failures++)
    socket.on('close', () => {
      clearTimeout(cut)
      this.#open--
      if (this.#open === 0) this.#finish()
    })
  }

  #finish(): void {
    const { user, system } = process.cpuUsage(this.#cpu)
    const sorted = Float64Array.from(this.#latencies).toSorted()
    this.#done({
      requests: sorted.length,
      seconds: (performance.now() - this.#startedAt) / 1000,
      failures: this.#failures + this.#begun - sorted.length,
      p50Millis: percentile(sorted, 0.5),
      p99Millis: percentile(sorted, 0.99),
      cpuSeconds: (user + system) / 1e6,
    })
  }
}

/** One answer at a time: where its head ends and how many bytes of body are to come. */
class Answer {
  ok = true
  #head: Buffer | undefined
  /** Bytes of body to come; -1 for a chunked one, undefined while the head is not complete. */
  #left: number | undefined
  #tail = ''

  /** @returns whether the answer is complete */
  take(piece: Buffer): boolean {
    if (this.#left === undefined) return this.#takeHead(piece)
    return this.#takeBody(piece)
  }

  #takeHead(piece: Buffer): boolean {
    const bytes = this.#head === undefined ? piece : Buffer.concat([this.#head, piece])
    const end = bytes.indexOf(HEAD_END)
    if (end < 0) {
      // the read buffer is used again for the next read
      this.#head = Buffer.from(bytes)
      return false
    }
    this.#head = undefined
    const head = bytes.toString('latin1', 0, end)
    this.ok = head.startsWith('200', 9)
    const declared = /\r\ncontent-length: (\d+)/i.exec(head)
    this.#left = declared === null ? -1 : Number(declared[1])
    return this.#takeBody(bytes.subarray(end + HEAD_END.length) as Buffer)
  }

  #takeBody(bytes: Buffer): boolean {
    if (this.#left === -1) {
      const { length } = bytes
      this.#tail = (this.#tail + bytes.toString('latin1', Math.max(0, length - 5))).slice(-5)
      if (this.#tail !== LAST_CHUNK) return false
    } else {
      this.#left = (this.#left ?? 0) - bytes.length
      if (this.#left > 0) return false
    }
    this.#left = undefined
    this.#tail = ''
    return true
  }
}

process.on('message', (order: LoadOrder) => {
  Run.start(order, (result) => process.send?.(result))
})
process.on('disconnect', () => process.exit())
