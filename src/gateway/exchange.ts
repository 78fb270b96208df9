/**
 * One request on its way through the gateway: the I/O context that the machine runs it in, and the one
 * who hears how it was answered. One object for both, so that counting allocates nothing.
 */
import type { RequestScope } from '../config/activation.ts'
import type { IoContext, StreamObserver } from '../proxy-wasm/index.ts'
import type { RouteMeter } from './meters.ts'

export class Exchange implements IoContext, StreamObserver {
  gone = false
  /** Of its route, once that is known. */
  meter: RouteMeter | undefined
  readonly #scope: RequestScope
  readonly #startedAt: number

  /** @param startedAt - milliseconds since the Unix epoch */
  constructor(scope: RequestScope, startedAt: number) {
    this.#scope = scope
    this.#startedAt = startedAt
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#scope.waitUntil(promise)
  }

  answered(status: number): void {
    if (this.gone) this.meter?.abandoned()
    else this.meter?.answered(status, Date.now() - this.#startedAt)
  }
}
