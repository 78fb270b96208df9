/**
 * Plays requests in a thread of their own, each within a bound of time. A guest in an endless loop cannot
 * be interrupted, so the thread is ended, and another one begins where it stopped.
 */
import { Worker } from 'node:worker_threads'
import type { Played } from '../../simulate/simulation.ts'
import type { Lost } from '../../simulate/tally.ts'
import type { RecordedExchange } from '../../simulate/traffic/exchange.ts'
import {
  SIDE_NUMBERS,
  type ToMain,
  type ToWorker,
  type VersionNotStarted,
  type WorkerSetup,
} from './worker-messages.ts'

/** It is TypeScript where this file is. */
const WORKER = new URL(
  `./simulation-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
)

const LOAD_MS = 60_000

export class SimulationThread {
  /** Modules that cannot be used, as the thread says it. */
  readonly modulesLost: string[] = []
  readonly #setup: Omit<WorkerSetup, 'side'>
  readonly #timeoutMs: number
  readonly #side = new SharedArrayBuffer(4)
  #worker: Worker | undefined

  /** @param timeoutMs - for one request through both versions, and for the start of both */
  constructor(setup: Omit<WorkerSetup, 'side'>, timeoutMs: number) {
    this.#setup = setup
    this.#timeoutMs = timeoutMs
  }

  /** Starts both versions anew. @returns why one does not start */
  async start(): Promise<VersionNotStarted | undefined> {
    const worker = new Worker(WORKER, { workerData: { ...this.#setup, side: this.#side } })
    this.#worker = worker
    // no guest runs yet, however slow the machine is
    await this.#next(worker, LOAD_MS)
    const said = await this.#next(worker)
    if (said === undefined) {
      const seconds = this.#timeoutMs / 1000
      const reason = `it has not started within ${seconds} s, and was ended (--timeout)`
      return { side: await this.#end(), reason, logs: [] }
    }
    return said.kind === 'not-started' ? said.notStarted : undefined
  }

  /** @returns `lost` when it did not come back: the thread has ended then, and can be started again */
  async play(exchange: RecordedExchange): Promise<Played | Lost> {
    const worker = this.#worker
    if (worker === undefined) throw new Error('the thread has not been started')
    const next = this.#next(worker)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    worker.postMessage({ exchange } satisfies ToWorker)
    const said = await next
    if (said?.kind === 'played') return said.played
    return { kind: 'lost', side: await this.#end() }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  /** Ends the thread. @returns which side it was in */
  async #end(): Promise<Lost['side']> {
    const number = Atomics.load(new Int32Array(this.#side), 0)
    await this.close()
    return number === SIDE_NUMBERS.stable ? 'stable' : 'candidate'
  }

  /** What the thread says next; undefined: nothing in time. @throws what the thread has thrown */
  #next(worker: Worker, withinMs: number = this.#timeoutMs): Promise<ToMain | undefined> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => settle(() => resolve(undefined)), withinMs)
      const heard = (message: ToMain): void => {
        if (message.kind === 'module') this.modulesLost.push(message.message)
        else settle(() => resolve(message))
      }
      const failed = (error: Error): void => settle(() => reject(error))
      const settle = (how: () => void): void => {
        clearTimeout(late)
        worker.off('message', heard)
        worker.off('error', failed)
        how()
      }
      worker.on('message', heard)
      worker.on('error', failed)
    })
  }
}
