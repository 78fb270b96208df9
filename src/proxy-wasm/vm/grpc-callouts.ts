/**
 * gRPC callouts of a vm: unary calls, and streams that send one message and receive any number (what
 * gRPC-Web carries). Callbacks are Envoy's: a unary call ends with its message or with a close; a stream
 * gets initial metadata, messages, trailing metadata and a close, on local failures too, the metadata
 * empty then. A stream goes out when the guest call has returned in which it got its message.
 */
import { BufferType, LogLevel, MapType, Status } from '../abi/enums.ts'
import { CALLOUT_MAX_MS } from '../limits.ts'
import type { ByteString, GrpcCall, GrpcEvent, HeaderLines, PendingGrpcCall } from '../ports.ts'
import { type IoContext, runIn, runningIo } from '../stream/io-context.ts'
import { CalloutKind, kindOf } from './callouts.ts'
import type { Context } from './context.ts'
import type { RootContext } from './root-context.ts'
import type { Vm } from './vm.ts'

type Started = { readonly token: number } | { readonly status: Status }
type Close = Extract<GrpcEvent, { readonly kind: 'close' }>

interface OpenCall {
  readonly kind: CalloutKind
  readonly root: RootContext
  readonly io: IoContext
  readonly request: GrpcCall
  /** Under way; a stream is not before it has its message. */
  pending: PendingGrpcCall | undefined
  /** A stream's message was given, or it was half-closed without one. */
  sent: boolean
  /** The guest will send no more. */
  halfClosed: boolean
  /** Which metadata the guest has had. */
  initial: boolean
  trailing: boolean
  /** A unary call's message, until the status is known. */
  message: Uint8Array<ArrayBuffer> | undefined
  /** Lets the I/O context go. */
  release: () => void
}

/** The statuses that the machine answers itself. */
const CANCELLED = 1
const DEADLINE_EXCEEDED = 4
const INTERNAL = 13
const OVERDUE: Close = {
  kind: 'close',
  status: DEADLINE_EXCEEDED,
  message: 'upstream request timeout',
}
const ABANDONED: Close = { kind: 'close', status: CANCELLED, message: 'the request has ended' }
const BROKEN: Close = { kind: 'close', status: INTERNAL, message: '' }

export class GrpcCallouts {
  readonly #vm: Vm
  readonly #open = new Map<number, OpenCall>()

  constructor(vm: Vm) {
    this.#vm = vm
  }

  /** A unary call. @returns the token, or the status to answer */
  call(context: Context, request: GrpcCall): Started {
    const refused = this.#refuse(context, request, 'proxy_grpc_call')
    if (refused !== undefined) return { status: refused }
    const pending = this.#start(request)
    if (typeof pending === 'number') return { status: pending }
    const token = this.#add(context, request, CalloutKind.GrpcCall, request.timeoutMs)
    this.#begin(token, pending)
    return { token }
  }

  /** A stream, which goes out with its message. @returns the token, or the status to answer */
  stream(context: Context, request: GrpcCall): Started {
    const refused = this.#refuse(context, request, 'proxy_grpc_stream')
    if (refused !== undefined) return { status: refused }
    return { token: this.#add(context, request, CalloutKind.GrpcStream, 0) }
  }

  /** The message of a stream. A second one is `BadArgument`: gRPC-Web carries one. */
  send(token: number, message: Uint8Array<ArrayBuffer>, endOfStream: boolean): Status {
    if (kindOf(token) === CalloutKind.GrpcCall) return Status.BadArgument
    const open = this.#open.get(token)
    if (open === undefined || !this.#vm.callouts.has(token)) return Status.NotFound
    if (open.halfClosed) return Status.BadArgument
    if (open.sent && !(endOfStream && message.length === 0)) {
      this.#vm.logHost(
        LogLevel.Warn,
        'proxy_grpc_send: gRPC-Web carries one message to the server, and this stream has sent it',
      )
      return Status.BadArgument
    }
    open.halfClosed = endOfStream
    if (!open.sent) this.#dispatch(token, open, message)
    return Status.Ok
  }

  /** Gives a call up: no callback comes any more. */
  cancel(token: number): Status {
    return this.#end(token) === undefined ? Status.NotFound : Status.Ok
  }

  /** A call is cancelled; a stream is half-closed, and its callbacks still come. */
  close(token: number): Status {
    if (kindOf(token) === CalloutKind.GrpcCall) return this.cancel(token)
    const open = this.#open.get(token)
    if (open === undefined || !this.#vm.callouts.has(token)) return Status.NotFound
    open.halfClosed = true
    if (!open.sent) this.#dispatch(token, open, undefined)
    return Status.Ok
  }

  #refuse(context: Context, { plugin, upstream }: GrpcCall, name: string): Status | undefined {
    const vm = this.#vm
    if (!vm.ports.grpcCalls.declares(plugin, upstream)) {
      vm.logHost(LogLevel.Warn, `${name}: no upstream "${upstream}" is declared for this plugin`)
      return Status.ParseFailure
    }
    const refused = context.refuseCallout()
    if (refused === undefined) return undefined
    vm.logHost(LogLevel.Warn, `${name}: ${refused}`)
    return Status.InternalFailure
  }

  #add(context: Context, request: GrpcCall, kind: CalloutKind, timeoutMs: number): number {
    const io = runningIo()
    const { root } = context
    const token = this.#vm.callouts.add(kind, {
      root,
      timeoutMs: Math.min(timeoutMs || CALLOUT_MAX_MS, CALLOUT_MAX_MS),
      cancel: () => this.#forget(token),
      fail: (why) => this.#close(token, why === 'timeout' ? OVERDUE : ABANDONED),
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    io.waitUntil(promise)
    this.#open.set(token, {
      kind,
      root,
      io,
      request,
      pending: undefined,
      sent: false,
      halfClosed: false,
      initial: false,
      trailing: false,
      message: undefined,
      release: resolve,
    })
    return token
  }

  /** Starts a stream once the guest has returned, in the stream's own request. */
  #dispatch(token: number, open: OpenCall, message: Uint8Array<ArrayBuffer> | undefined): void {
    open.sent = true
    this.#vm.strand.post(() => {
      if (!this.#vm.callouts.has(token)) return
      runIn(open.io, () => {
        const pending = this.#start({ ...open.request, message })
        if (typeof pending === 'number') this.#close(token, BROKEN)
        else this.#begin(token, pending)
      })
    })
  }

  #start(call: GrpcCall): PendingGrpcCall | Status {
    const started = this.#vm.ports.grpcCalls.start(call)
    return runningIo().calls?.grpc(call, started) ?? started
  }

  #begin(token: number, pending: PendingGrpcCall): void {
    const open = this.#open.get(token)
    if (open === undefined) return
    open.sent = true
    open.pending = pending
    void this.#receive(token, open, pending)
  }

  async #receive(token: number, open: OpenCall, pending: PendingGrpcCall): Promise<void> {
    const { callouts } = this.#vm
    try {
      for await (const event of pending.events) {
        if (!callouts.has(token)) return
        runIn(open.io, () => this.#take(token, open, event))
        if (!callouts.has(token)) return
      }
    } catch {
      // a port that throws all the same must not leave a guest waiting
    }
    runIn(open.io, () => this.#close(token, BROKEN))
  }

  #take(token: number, open: OpenCall, event: GrpcEvent): void {
    if (event.kind === 'close') {
      this.#close(token, event)
      return
    }
    if (open.kind === CalloutKind.GrpcCall) {
      if (event.kind === 'message') open.message = event.message
      return
    }
    // a stream may live as long as something comes
    this.#vm.callouts.touch(token)
    if (event.kind === 'initial-metadata') this.#initial(token, open, event.metadata)
    else if (event.kind === 'trailing-metadata') this.#trailing(token, open, event.metadata)
    else this.#message(token, open, event.message)
  }

  /** The end, wherever it came from: the token is free before the guest hears of it, as in Envoy. */
  #close(token: number, { status, message }: Close): void {
    const open = this.#open.get(token)
    if (open === undefined || !this.#vm.callouts.has(token)) return
    if (open.kind === CalloutKind.GrpcStream) {
      if (!open.trailing) this.#trailing(token, open, [])
      // the guest may have cancelled it in those
      if (!this.#vm.callouts.has(token)) return
    }
    this.#end(token)
    const { message: answer, root } = open
    if (open.kind === CalloutKind.GrpcCall && status === 0 && answer !== undefined) {
      this.#message(token, open, answer)
      return
    }
    // an Ok without a message is a failure of a unary call
    const code = open.kind === CalloutKind.GrpcCall && status === 0 ? INTERNAL : status
    this.#vm.callouts.withStatus(code, message as ByteString, () =>
      root.deliver(undefined, this.#vm.callbacks.grpcClose, token, code),
    )
  }

  #initial(token: number, open: OpenCall, metadata: HeaderLines): void {
    if (open.initial) return
    open.initial = true
    const view = { maps: { [MapType.GrpcReceiveInitialMetadata]: metadata } }
    open.root.deliver(view, this.#vm.callbacks.grpcInitialMetadata, token, metadata.length / 2)
  }

  #message(token: number, open: OpenCall, bytes: Uint8Array<ArrayBuffer>): void {
    const view = { buffer: { type: BufferType.GrpcReceiveBuffer, bytes } }
    open.root.deliver(view, this.#vm.callbacks.grpcReceive, token, bytes.length)
  }

  #trailing(token: number, open: OpenCall, metadata: HeaderLines): void {
    this.#initial(token, open, [])
    if (open.trailing || !this.#vm.callouts.has(token)) return
    open.trailing = true
    const view = { maps: { [MapType.GrpcReceiveTrailingMetadata]: metadata } }
    open.root.deliver(view, this.#vm.callbacks.grpcTrailingMetadata, token, metadata.length / 2)
  }

  #end(token: number): RootContext | undefined {
    return this.#open.has(token) ? this.#vm.callouts.end(token) : undefined
  }

  #forget(token: number): void {
    const open = this.#open.get(token)
    this.#open.delete(token)
    open?.release()
    open?.pending?.cancel()
  }
}
