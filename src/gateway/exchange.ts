/**
 * One request on its way through the gateway: the I/O context that the machine runs it in, and the one
 * who hears how it was answered. One object for both, so that counting allocates nothing.
 */
import type { RequestScope } from '../config/activation.ts'
import type { IoContext, StreamObserver } from '../proxy-wasm/index.ts'
import type { Visitor } from '../rollout/visitor.ts'
import type { RouteMeter, SideMeter } from './meters.ts'

export class Exchange implements IoContext, StreamObserver {
  gone = false
  /** Of its route, once that is known. */
  meter: RouteMeter | undefined
  /** Of the rollouts it is part of; undefined where it is part of none. */
  sides: SideMeter[] | undefined
  /** Who asks, where a rollout needs to know. */
  visitor: Visitor | undefined
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number
  readonly #scope: RequestScope

  constructor(scope: RequestScope, startedAt: number) {
    this.#scope = scope
    this.startedAt = startedAt
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#scope.waitUntil(promise)
  }

  answered(status: number): void {
    if (this.gone) this.meter?.abandoned()
    else {
      const ms = Date.now() - this.startedAt
      this.meter?.answered(status, ms)
      if (this.sides !== undefined) for (const side of this.sides) side.answered(status, ms)
    }
  }
}
