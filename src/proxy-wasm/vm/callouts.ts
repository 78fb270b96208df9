/**
 * A vm's outstanding callouts of every kind: tokens, deadlines, and who is told when a call can have no
 * outcome any more. A call belongs to the I/O context in which it was started, and that context's
 * `waitUntil` holds it; a call whose context ended without an outcome is found by a later turn and
 * delivered as failed. How calls are made and answered is in http-callouts.ts and grpc-callouts.ts.
 */
import { CALLOUT_GRACE_MS } from '../limits.ts'
import type { ByteString } from '../ports.ts'
import { type IoContext, runIn, runningIo } from '../stream/io-context.ts'
import type { RootContext } from './root-context.ts'
import type { Vm } from './vm.ts'

/** The low two bits of a token say what kind of call it is, as in Envoy. */
export const CalloutKind = { Http: 0, GrpcCall: 1, GrpcStream: 2 } as const
export type CalloutKind = (typeof CalloutKind)[keyof typeof CalloutKind]

export interface Callout {
  readonly root: RootContext
  /** Milliseconds from its start, or from its last sign of life. */
  readonly timeoutMs: number
  /** Gives up what is under way; may run in another I/O context. */
  cancel(): void
  /** It can have no outcome: overdue, or its request has gone. Runs in some I/O context, no guest runs. */
  fail(why: 'timeout' | 'abandoned'): void
}

interface Pending extends Callout {
  readonly io: IoContext
  /** Milliseconds of the monotonic clock. */
  deadline: number
  cancelTimer: () => void
}

const TOKEN_STEP = 4
const TOKEN_MAX = 0xffff_ffff
const KIND_BITS = 3
const NO_STATUS = { code: 0, message: '' }

export class Callouts {
  readonly #vm: Vm
  readonly #pending = new Map<number, Pending>()
  #nextToken = TOKEN_STEP
  #lastStatus: { readonly code: number; readonly message: ByteString } = NO_STATUS

  constructor(vm: Vm) {
    this.#vm = vm
  }

  /** What `proxy_get_status` answers: set while a failure is being delivered. */
  get lastStatus(): { readonly code: number; readonly message: ByteString } {
    return this.#lastStatus
  }

  /** Number of calls without an outcome. */
  get size(): number {
    return this.#pending.size
  }

  /** Milliseconds of the monotonic clock at which the next call is overdue, if any is pending. */
  get nextDeadline(): number | undefined {
    let next: number | undefined
    for (const { deadline } of this.#pending.values()) {
      if (next === undefined || deadline < next) next = deadline
    }
    return next
  }

  /** Registers a call that was started in the running I/O context. @returns its token */
  add(kind: CalloutKind, callout: Callout): number {
    const token = this.#takeToken(kind)
    const io = runningIo()
    const pending: Pending = { ...callout, io, deadline: 0, cancelTimer: () => undefined }
    this.#pending.set(token, pending)
    this.#arm(token, pending)
    return token
  }

  /** Whether the call still waits for something. */
  has(token: number): boolean {
    return this.#pending.has(token)
  }

  /** A sign of life: its time begins anew. To be called in the call's own I/O context. */
  touch(token: number): void {
    const pending = this.#pending.get(token)
    if (pending === undefined) return
    pending.cancelTimer()
    this.#arm(token, pending)
  }

  /** The call has its outcome, or is given up: frees the token. @returns its root, if it was pending */
  end(token: number): RootContext | undefined {
    const pending = this.#pending.get(token)
    if (pending === undefined) return undefined
    this.#pending.delete(token)
    cancelQuietly(pending)
    return pending.root
  }

  /** Runs `deliver` while `proxy_get_status` answers this. */
  withStatus(code: number, message: ByteString, deliver: () => void): void {
    this.#lastStatus = { code, message }
    deliver()
    this.#lastStatus = NO_STATUS
  }

  /**
   * Delivers as failed what can have no outcome any more: its request has gone or it is overdue.
   * Part of every turn, before the turn's own callbacks.
   */
  reap(): void {
    if (this.#pending.size === 0) return
    const now = this.#now()
    for (const { io, deadline, fail } of this.#pending.values()) {
      if (io.gone || deadline + CALLOUT_GRACE_MS < now) fail('abandoned')
    }
  }

  /** Forgets the calls of one root context, which has gone. */
  cancelOf(root: RootContext): void {
    for (const [token, pending] of this.#pending) {
      if (pending.root === root) this.end(token)
    }
  }

  /** Forgets all calls; their callbacks never come. */
  cancelAll(): void {
    for (const pending of this.#pending.values()) cancelQuietly(pending)
    this.#pending.clear()
  }

  #arm(token: number, pending: Pending): void {
    pending.deadline = this.#now() + pending.timeoutMs
    pending.cancelTimer = this.#vm.ports.timers.after(pending.timeoutMs, () =>
      runIn(pending.io, () => {
        if (this.#pending.get(token) === pending) pending.fail('timeout')
      }),
    )
  }

  #now(): number {
    return Number(this.#vm.ports.clock.monotonic() / 1_000_000n)
  }

  #takeToken(kind: CalloutKind): number {
    for (;;) {
      const token = this.#nextToken + kind
      this.#nextToken = token + TOKEN_STEP > TOKEN_MAX ? TOKEN_STEP : this.#nextToken + TOKEN_STEP
      if (!this.#pending.has(token)) return token
    }
  }
}

/** @returns what kind of call a token stands for */
export function kindOf(token: number): number {
  return token & KIND_BITS
}

/** What belongs to a request that has ended may not let itself be touched by another one. */
function cancelQuietly(pending: Pending): void {
  try {
    pending.cancelTimer()
    pending.cancel()
  } catch {
    // its own request's end has ended it
  }
}
