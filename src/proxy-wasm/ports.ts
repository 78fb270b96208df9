/**
 * What the machine needs from outside, as small interfaces. Every method used inside a host call is
 * synchronous, because a WebAssembly import is; what takes time returns a promise that the machine
 * turns into a callback. `in-memory-ports.ts` has an implementation of each that runs anywhere.
 *
 * A *byte string* is a JavaScript string whose every char code is one byte (0–255): header names and
 * values, keys, property values. It costs no copy to compare and loses no byte.
 */
import type { LogLevel, MetricType, Status } from './abi/enums.ts'
import type { JsonObject } from './memory/struct.ts'
import type { Decided } from './stream/decision.ts'

/** A string of bytes: every char code is 0–255. */
export type ByteString = string

/** Header lines in order, flat: name, value, name, value … Names are lower-case byte strings. */
export type HeaderLines = readonly ByteString[]

export interface Clock {
  /** Wall clock in nanoseconds since the Unix epoch. */
  realtime(): bigint
  /** A clock that never goes back, in nanoseconds from any origin. */
  monotonic(): bigint
}

export interface Random {
  /** Fills `bytes` (at most 65,536) with cryptographically secure random bytes. */
  fill(bytes: Uint8Array<ArrayBuffer>): void
}

export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  /** Plugin name, root id and vm id of the context that logged; empty where there is none. */
  readonly plugin: string
  readonly rootId: string
  readonly vmId: string
  /** The stream context's id, or 0 for a root context. */
  readonly contextId: number
}

export interface LogPort {
  /** Entries below this level are dropped before they are read from the guest. */
  readonly level: LogLevel
  log(entry: LogEntry): void
}

/** Guest metrics. Ids are the port's; the low two bits hold the type (Envoy's layout). */
export interface MetricsPort {
  /** @returns the metric's id; the same id for a name and type defined before */
  define(type: MetricType, name: string): number
  /** Counter: delta must be > 0. Gauge: any. Histogram: `BadArgument`. Unknown id: `NotFound`. */
  increment(id: number, delta: bigint): Status
  /** Counter: adds. Gauge: sets. Histogram: observes. Unknown id: `NotFound`. */
  record(id: number, value: bigint): Status
  /** The value of a counter or gauge, else the status to answer. */
  get(id: number): { readonly value: bigint } | { readonly status: Status }
}

export interface SharedValue {
  readonly value: Uint8Array
  readonly cas: number
}

/** Shared data, scoped by vm id. */
export interface SharedDataPort {
  get(vmId: string, key: ByteString): SharedValue | undefined
  /** `cas` 0 writes always; else the key must be absent or hold that cas, or `CasMismatch`. */
  set(vmId: string, key: ByteString, value: Uint8Array, cas: number): Status
}

/** Who is told that a queue has an item: the last registrant. */
export type QueueListener = (queueId: number) => void

/** Shared queues: registered under (vm id, name), used by id from any vm. */
export interface SharedQueuesPort {
  /** @returns the queue's id, never 0; registering again replaces the listener and keeps the items */
  register(vmId: string, name: ByteString, listener: QueueListener): number
  /** @returns the id, or undefined when no such queue was registered */
  resolve(vmId: string, name: ByteString): number | undefined
  enqueue(queueId: number, item: Uint8Array): Status
  /** The next item, or `NotFound` (no such queue) or `Empty`. */
  dequeue(queueId: number): { readonly item: Uint8Array } | { readonly status: Status }
  /** Forgets the listeners of a vm that goes away; its items stay. */
  release(listener: QueueListener): void
}

export interface HttpCall {
  /** Name of the plugin that calls: which upstreams it may call is the port's to know. */
  readonly plugin: string
  readonly upstream: string
  /** Pseudo-headers included. */
  readonly headers: HeaderLines
  readonly body: Uint8Array<ArrayBuffer>
  readonly trailers: HeaderLines
  /** Milliseconds; 0 means no timeout of the caller's own. */
  readonly timeoutMs: number
}

/**
 * A reply, or why there is none: `connect` (nothing was sent), `reset` (the exchange broke off),
 * `too-large` (the reply's body), `timeout` and `abandoned` (its request ended first; the machine's own).
 */
export type HttpCallOutcome =
  | {
      readonly headers: HeaderLines
      readonly body: Uint8Array<ArrayBuffer>
      readonly trailers: HeaderLines
    }
  | { readonly failure: 'connect' | 'timeout' | 'reset' | 'too-large' | 'abandoned' }

export interface PendingHttpCall {
  /** Never rejects. Belongs to the I/O context in which the call was started. */
  readonly outcome: Promise<HttpCallOutcome>
  cancel(): void
}

export interface HttpCallsPort {
  /**
   * Starts a call in the running I/O context.
   * @returns the pending call, or the status to answer: `BadArgument` for an upstream that is not declared
   */
  start(call: HttpCall): PendingHttpCall | Status
}

export interface GrpcCall {
  /** Name of the plugin that calls. */
  readonly plugin: string
  readonly upstream: string
  /** Full name, as in `/<service>/<method>`. */
  readonly service: string
  readonly method: string
  /** As the guest gave it; values of names in `-bin` are raw bytes. */
  readonly metadata: HeaderLines
  /** The one message, without a frame; undefined for a stream that was half-closed without one. */
  readonly message: Uint8Array<ArrayBuffer> | undefined
  /** Milliseconds; 0 means no timeout of the caller's own. The machine keeps the time, the server is told. */
  readonly timeoutMs: number
}

/** What comes back, in this order; every kind but `message` once at the most, `close` always and last. */
export type GrpcEvent =
  | { readonly kind: 'initial-metadata'; readonly metadata: HeaderLines }
  | { readonly kind: 'message'; readonly message: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'trailing-metadata'; readonly metadata: HeaderLines }
  | { readonly kind: 'close'; readonly status: number; readonly message: ByteString }

export interface PendingGrpcCall {
  /** Asked for one at a time, which is the back-pressure. Belongs to the I/O context of the start. */
  readonly events: AsyncIterable<GrpcEvent>
  cancel(): void
}

export interface GrpcCallsPort {
  /** Whether a plugin may call an upstream of that name. */
  declares(plugin: string, upstream: string): boolean
  /**
   * Starts a call in the running I/O context; nothing happens before the first event is asked for.
   * @returns the pending call, or the status to answer: `ParseFailure` for an upstream that is not declared
   */
  start(call: GrpcCall): PendingGrpcCall | Status
}

export interface TimersPort {
  /** Runs `callback` once after `ms`, in the I/O context that asked. @returns a function that cancels it */
  after(ms: number, callback: () => void): () => void
}

/** How a property may be used that a plugin declares before it is set (Envoy's `declare_property`). */
export interface PropertyDeclaration {
  /** Set once in a stream, then never again. */
  readonly readonly: boolean
}

/** Who calls a foreign function: the effective context of its guest, and what may be done to it. */
export interface ForeignCaller {
  /** The plugin's name. */
  readonly plugin: string
  /** Its root context, as an identity: state that lives as long goes into a WeakMap under it. */
  readonly root: object
  /** An encoded property, or undefined when the path names nothing. */
  property(path: readonly ByteString[]): Uint8Array | undefined
  /** `BadArgument` for a name that was declared before. */
  declareProperty(name: ByteString, declaration: PropertyDeclaration): Status
  /** Keeps a value for this stream, read as `filter_state.<key>`; `NotFound` where there is no stream. */
  setFilterState(key: ByteString, value: Uint8Array): Status
  /** The upstream is picked again. */
  clearRouteCache(): void
  /**
   * Calls `proxy_on_foreign_function` in the root context, with `data` as its buffer; not while a guest
   * runs, so at the earliest when the guest call that made this call has returned. ABI 0.1.0 has none.
   */
  callBack(functionId: number, data: Uint8Array<ArrayBuffer>): void
  /** Keeps the request's I/O context alive for an answer that comes later. */
  waitUntil(promise: Promise<unknown>): void
}

/**
 * A foreign function: arguments in, result (or undefined for none) or a status out. Synchronous, as the
 * guest waits; what takes time answers through `caller.callBack`. Statuses that every SDK survives: `Ok`,
 * `NotFound`, `BadArgument`, `SerializationFailure`, `InternalFailure`.
 */
export type ForeignFunction = (
  args: Uint8Array<ArrayBuffer>,
  caller: ForeignCaller,
) => Uint8Array | undefined | { readonly status: Status }

export interface ForeignFunctionsPort {
  find(name: string): ForeignFunction | undefined
}

/** Who this gateway is, as plugins see it under `xds.node`. */
export interface NodeInfo {
  readonly id: string
  readonly cluster: string
  readonly region?: string | undefined
  readonly zone?: string | undefined
  /** Labels and the like. */
  readonly metadata: JsonObject
}

/** Who hears what plugins decide; told of those whose spec has `decisions`. */
export interface DecisionsPort {
  /** Called while a stream runs: it must not throw, and what takes long must not be done here. */
  decided(decision: Decided): void
}

/** All that a vm asks of its surroundings. */
export interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly log: LogPort
  readonly metrics: MetricsPort
  readonly sharedData: SharedDataPort
  readonly sharedQueues: SharedQueuesPort
  readonly httpCalls: HttpCallsPort
  readonly grpcCalls: GrpcCallsPort
  readonly timers: TimersPort
  readonly foreignFunctions: ForeignFunctionsPort
  readonly decisions: DecisionsPort
  readonly node: NodeInfo
}
