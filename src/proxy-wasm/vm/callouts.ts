/**
 * A vm's outstanding callouts: tokens, timeouts, and the callback with the reply. A call belongs to the
 * I/O context in which it was started, and that context's `waitUntil` holds it; a call whose context
 * ended without an outcome is found by a later turn and delivered as failed.
 *
 * Failures look as in Envoy: what its HTTP client answers itself (no connection, timeout) arrives as a
 * reply with `:status` 503 or 504; an exchange that broke off arrives without headers.
 */
import { LogLevel, Status } from '../abi/enums.ts'
import { CALLOUT_GRACE_MS, CALLOUT_MAX_MS } from '../limits.ts'
import { textToBytes } from '../memory/byte-string.ts'
import type { HeaderLines, HttpCall, HttpCallOutcome } from '../ports.ts'
import { type IoContext, runIn, runningIo } from '../stream/io-context.ts'
import type { Context } from './context.ts'
import type { RootContext } from './root-context.ts'
import type { Vm } from './vm.ts'

/** A reply as the guest sees it while its callback runs. */
export interface CalloutReply {
  readonly headers: HeaderLines
  readonly body: Uint8Array<ArrayBuffer>
  readonly trailers: HeaderLines
}

interface PendingCallout {
  readonly root: RootContext
  readonly io: IoContext
  /** Milliseconds of the monotonic clock. */
  readonly deadline: number
  end(): void
}

/** Token ids keep their low two bits for the kind of call, as in Envoy: HTTP is 0. */
const TOKEN_STEP = 4
const BROKEN_CONNECTION = 11
const NO_STATUS = { code: 0, message: '' }

export class Callouts {
  readonly #vm: Vm
  readonly #pending = new Map<number, PendingCallout>()
  #nextToken = TOKEN_STEP
  #lastStatus: { readonly code: number; readonly message: string } = NO_STATUS

  constructor(vm: Vm) {
    this.#vm = vm
  }

  /** What `proxy_get_status` answers: set while a failure is being delivered. */
  get lastStatus(): { readonly code: number; readonly message: string } {
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

  /** @returns the token, or the status to answer */
  startHttpCall(
    context: Context,
    call: HttpCall,
  ): { readonly token: number } | { readonly status: Status } {
    const vm = this.#vm
    const names = new Set(call.headers.filter((_, i) => i % 2 === 0))
    const hasAuthority = names.has(':authority') || names.has('host')
    if (!names.has(':method') || !names.has(':path') || !hasAuthority) {
      vm.logHost(LogLevel.Warn, 'proxy_http_call needs :method, :path and :authority')
      return { status: Status.BadArgument }
    }
    if (!context.countCallout()) {
      vm.logHost(
        LogLevel.Warn,
        'proxy_http_call: this stream has used up limits.calloutsPerRequest',
      )
      return { status: Status.InternalFailure }
    }
    const started = vm.ports.httpCalls.start(call)
    if (typeof started === 'number') {
      if (started === Status.BadArgument) {
        vm.logHost(
          LogLevel.Warn,
          `proxy_http_call: no upstream "${call.upstream}" is declared for this plugin`,
        )
      }
      return { status: started }
    }
    const token = this.#takeToken()
    const io = runningIo()
    const timeoutMs = Math.min(call.timeoutMs || CALLOUT_MAX_MS, CALLOUT_MAX_MS)
    const finish = (outcome: HttpCallOutcome): void =>
      runIn(io, () => this.#deliver(token, outcome))
    const cancelTimer = vm.ports.timers.after(timeoutMs, () => {
      started.cancel()
      finish({ failure: 'timeout' })
    })
    this.#pending.set(token, {
      root: context.root,
      io,
      deadline: this.#now() + timeoutMs,
      end() {
        cancelTimer()
        started.cancel()
      },
    })
    // a port that rejects all the same must not leave a guest waiting
    io.waitUntil(started.outcome.then(finish, () => finish({ failure: 'reset' })))
    return { token }
  }

  /**
   * Delivers as failed what can have no outcome any more: its request has gone or it is overdue.
   * Part of every turn, before the turn's own callbacks.
   */
  reap(): void {
    if (this.#pending.size === 0) return
    const now = this.#now()
    for (const [token, { io, deadline }] of this.#pending) {
      if (io.gone || deadline + CALLOUT_GRACE_MS < now)
        this.#deliver(token, { failure: 'abandoned' })
    }
  }

  /** Forgets the calls of one root context, which has gone. */
  cancelOf(root: RootContext): void {
    for (const [token, pending] of this.#pending) {
      if (pending.root !== root) continue
      this.#pending.delete(token)
      pending.end()
    }
  }

  /** Forgets all calls; their callbacks never come. */
  cancelAll(): void {
    for (const pending of this.#pending.values()) pending.end()
    this.#pending.clear()
  }

  #now(): number {
    return Number(this.#vm.ports.clock.monotonic() / 1_000_000n)
  }

  #takeToken(): number {
    while (this.#pending.has(this.#nextToken)) this.#nextToken += TOKEN_STEP
    const token = this.#nextToken
    this.#nextToken = token + TOKEN_STEP > 0xffff_fffc ? TOKEN_STEP : token + TOKEN_STEP
    return token
  }

  #deliver(token: number, outcome: HttpCallOutcome): void {
    const pending = this.#pending.get(token)
    if (pending === undefined) return
    this.#pending.delete(token)
    pending.end()
    const reply = toReply(outcome)
    if (reply === undefined) this.#lastStatus = { code: BROKEN_CONNECTION, message: 'reset' }
    pending.root.deliverHttpCall(token, reply)
    this.#lastStatus = NO_STATUS
  }
}

function toReply(outcome: HttpCallOutcome): CalloutReply | undefined {
  if (!('failure' in outcome)) return outcome
  if (outcome.failure === 'connect') {
    return textReply(503, 'upstream connect error or disconnect/reset before headers')
  }
  if (outcome.failure === 'timeout') return textReply(504, 'upstream request timeout')
  return undefined
}

function textReply(status: number, text: string): CalloutReply {
  const body = textToBytes(text)
  return {
    headers: [
      ':status',
      String(status),
      'content-length',
      String(body.length),
      'content-type',
      'text/plain',
    ],
    body,
    trailers: [],
  }
}
