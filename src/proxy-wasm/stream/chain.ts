/**
 * One stream through all its plugins. Events come in from an adapter, effects go out to a sink; what
 * guests ask for meanwhile is mail, so that no guest is entered while one runs and nothing of this
 * stream happens in another request's I/O context.
 */
import { CALLOUT_GRACE_MS } from '../limits.ts'
import { textToBytes } from '../memory/byte-string.ts'
import type { Plugin } from '../vm/plugin.ts'
import type { Strand } from '../vm/strand.ts'
import { property, type StreamInfo } from './attributes.ts'
import type { Direction, EffectSink } from './effects.ts'
import { Filter } from './filter.ts'
import type { HeaderMap } from './header-map.ts'
import { type IoContext, isRunningIn, runIn } from './io-context.ts'
import { emptyReply, type LocalReply, prepareLocalReply } from './local-reply.ts'
import { Passage } from './passage.ts'

/** What waits to be done to the stream when no guest runs and its own request does. */
export type Mail =
  | { readonly kind: 'resume'; readonly filter: Filter; readonly direction: Direction }
  | { readonly kind: 'local-reply'; readonly filter: Filter; readonly reply: LocalReply }
  | { readonly kind: 'reset'; readonly details: string }
  | { readonly kind: 'vm-failed'; readonly filter: Filter }

const GRPC_UNAVAILABLE = 14

export interface ChainOptions {
  /** In request order. */
  readonly plugins: readonly Plugin[]
  readonly io: IoContext
  readonly strand: Strand
  readonly sink: EffectSink
  readonly info: StreamInfo
}

export class Chain {
  readonly info: StreamInfo
  readonly request: Passage
  readonly response: Passage
  readonly #filters: readonly Filter[]
  readonly #io: IoContext
  readonly #strand: Strand
  readonly #sink: EffectSink
  readonly #mail: Mail[] = []
  #properties: Map<string, Uint8Array> | undefined
  #requestHeaders: HeaderMap | undefined
  #responseHeaders: HeaderMap | undefined
  #requestSent = false
  #responseSent = false
  #answered = false
  #ended = false
  #busy = 0
  #callouts = 0
  #wake: (() => void) | undefined
  /** Body bytes that entered the chain in each direction, for attributes. */
  requestBytes = 0
  responseBytes = 0

  constructor(options: ChainOptions) {
    this.info = options.info
    this.#io = options.io
    this.#strand = options.strand
    this.#sink = options.sink
    const filters = runIn(options.io, () =>
      options.plugins.map((plugin) => new Filter(this, plugin)),
    )
    this.#filters = filters
    this.request = new Passage(this, 'request', filters)
    this.response = new Passage(this, 'response', filters.toReversed())
  }

  get requestHeaders(): HeaderMap | undefined {
    return this.#requestHeaders
  }

  get responseHeaders(): HeaderMap | undefined {
    return this.#responseHeaders
  }

  /** Whether the request's headers have left the chain. */
  get requestSent(): boolean {
    return this.#requestSent
  }

  /** Whether response headers, a plugin's own included, have left the chain. */
  get responseSent(): boolean {
    return this.#responseSent
  }

  /** Whether a local reply has taken the place of an upstream's response. */
  get answered(): boolean {
    return this.#answered
  }

  /** Whether the stream is over: only its log callbacks may still run. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether a plugin holds something back in either direction. */
  get paused(): boolean {
    return this.request.paused || this.response.paused
  }

  /** Whether a reply may come from elsewhere than the upstream: a callout is under way. */
  get mayBeAnswered(): boolean {
    return this.#callouts > 0
  }

  /** Milliseconds the stream may stay paused: the least of what its plugins allow. */
  get pauseMs(): number {
    return Math.min(...this.#filters.map((filter) => filter.spec.limits.pauseMs))
  }

  /** Event: the request's headers, pseudo-headers included. */
  receiveRequestHeaders(headers: HeaderMap, endOfStream: boolean): void {
    this.#requestHeaders = headers
    this.#enter(() => this.request.headers(headers, endOfStream))
  }

  /** Event: bytes of the request's body, which the chain may keep. */
  receiveRequestData(chunk: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.requestBytes += chunk.length
    this.#enter(() => this.request.data(chunk, endOfStream))
  }

  /** Event: the upstream's response headers. Ignored when the stream was answered meanwhile. */
  receiveResponseHeaders(headers: HeaderMap, endOfStream: boolean): void {
    if (this.#answered || this.#ended) return
    this.#responseHeaders = headers
    this.#enter(() => this.response.headers(headers, endOfStream))
  }

  /** Event: bytes of the response's body, which the chain may keep. */
  receiveResponseData(chunk: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    if (this.#answered) return
    this.responseBytes += chunk.length
    this.#enter(() => this.response.data(chunk, endOfStream))
  }

  /** Event: the gateway answers itself, as a plugin would (no upstream, no route). */
  receiveLocalReply(reply: LocalReply): void {
    this.#enter(() => this.#localReply(reply))
  }

  /** Event: the stream has been paused for longer than it may. Who holds it fails. */
  receivePauseTimeout(): void {
    this.#enter(() => {
      const holder = this.#filters.find((filter) => filter.request.paused || filter.response.paused)
      if (holder) this.#fail(holder)
    })
  }

  /** Event: time has passed. Ticks and abandoned callouts that are due, then the mail. */
  turn(): void {
    this.#enter(() => {
      for (const filter of this.#filters) filter.root?.turn()
    })
  }

  /** Event: the stream is over, properly or not. Logs, then ends the contexts; safe to repeat. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.request.close()
    this.response.close()
    this.#mail.length = 0
    runIn(this.#io, () => {
      for (const filter of this.#filters) filter.log()
      for (const filter of this.#filters) filter.close()
    })
    this.#signal()
  }

  /**
   * Waits for mail from elsewhere (a callout's reply, another request) that moved the stream, for at
   * most `ms`. The promise and its timer are this request's own; others only call the resolver.
   * @param after - the timers port, which runs in this request's I/O context
   */
  changed(ms: number, after: (ms: number, callback: () => void) => () => void): Promise<void> {
    if (this.#mail.length > 0) {
      runIn(this.#io, () => this.#drain())
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const cancel = after(ms, () => this.#signal())
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  /**
   * Milliseconds of the monotonic clock at which a paused stream must take a turn by itself: a callout
   * of its vms is overdue, or a tick is due that may be what lets it go on.
   */
  get nextTurn(): number | undefined {
    let next: number | undefined
    for (const { root } of this.#filters) {
      const overdue = root?.vm.callouts.nextDeadline
      const due = overdue === undefined ? undefined : overdue + CALLOUT_GRACE_MS
      for (const at of [due, root?.nextTickMs]) {
        if (at !== undefined && (next === undefined || at < next)) next = at
      }
    }
    return next
  }

  /** Something to be done to the stream when no guest runs; wakes its request if that is not running. */
  post(mail: Mail): void {
    if (this.#ended) return
    this.#mail.push(mail)
    this.#strand.post(() => this.#flush())
  }

  #flush(): void {
    if (this.#busy > 0 || this.#ended) return
    if (isRunningIn(this.#io)) this.#drain()
    this.#signal()
  }

  #signal(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #enter(event: () => void): void {
    if (this.#ended) return
    runIn(this.#io, () => {
      this.#busy++
      try {
        event()
      } finally {
        this.#busy--
      }
      this.#drain()
    })
  }

  #drain(): void {
    if (this.#busy > 0) return
    this.#busy++
    try {
      for (let mail = this.#mail.shift(); mail !== undefined; mail = this.#mail.shift()) {
        this.#deliver(mail)
      }
    } finally {
      this.#busy--
    }
  }

  #deliver(mail: Mail): void {
    if (this.#ended) return
    switch (mail.kind) {
      case 'resume':
        this[mail.direction].resume(mail.filter, true)
        break
      case 'local-reply':
        this.#localReply(mail.reply)
        break
      case 'reset':
        this.#reset(mail.details)
        break
      case 'vm-failed':
        this.#fail(mail.filter)
        break
    }
  }

  /**
   * After each callback of `filter`: does at once what the guest asked for that ends the passage (a
   * local reply, a reset), or what its trap asks for. A second local reply of one callback is dropped.
   * @returns nothing: the passage looks whether it was closed
   */
  settle(filter: Filter, direction: Direction): void {
    if (!filter.alive && !filter.bypassed) this.#fail(filter, direction)
    for (let i = 0; i < this.#mail.length; i++) {
      const mail = this.#mail[i] as Mail
      if (mail.kind !== 'local-reply' && mail.kind !== 'reset') continue
      this.#mail.splice(i, 1)
      this.#dropReplies()
      this.#deliver(mail)
      return
    }
  }

  #dropReplies(): void {
    const kept = this.#mail.filter((mail) => mail.kind !== 'local-reply')
    this.#mail.splice(0, this.#mail.length, ...kept)
  }

  sendHeaders(direction: Direction, headers: HeaderMap, endOfStream: boolean): void {
    if (direction === 'request') {
      this.#requestSent = true
      this.#sink.requestHeaders(headers, endOfStream)
    } else {
      this.#responseSent = true
      this.#sink.responseHeaders(headers, endOfStream)
    }
  }

  sendData(direction: Direction, data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    if (direction === 'request') this.#sink.requestData(data, endOfStream)
    else this.#sink.responseData(data, endOfStream)
  }

  bodyTooLarge(direction: Direction): void {
    this.#localReply(
      direction === 'request'
        ? textReply(413, 'Payload Too Large', 'request_payload_too_large')
        : textReply(500, 'Internal Server Error', 'response_payload_too_large'),
    )
  }

  /**
   * A local reply. Before there is a response it goes through the response callbacks of the plugins
   * that have seen the request; in place of a response it goes straight out; behind response headers
   * nothing but breaking off is left.
   */
  #localReply(reply: LocalReply): void {
    if (this.#ended) return
    if (this.#responseSent) {
      this.#reset(reply.details)
      return
    }
    this.request.close()
    const direct = this.#responseHeaders !== undefined
    this.#answered = true
    const requestHeaders = this.#requestHeaders
    const isGrpc = requestHeaders?.get('content-type')?.startsWith('application/grpc') ?? false
    const isHead = requestHeaders?.get(':method') === 'HEAD'
    const { headers, body } = prepareLocalReply(reply, isGrpc, isHead)
    this.#responseHeaders = headers
    this.info.responseDetails = reply.details
    const noBody = body.length === 0
    if (direct) {
      this.response.close()
      this.sendHeaders('response', headers, noBody)
      if (!noBody) this.sendData('response', body, true)
      return
    }
    this.response.headers(headers, noBody)
    if (!noBody) this.response.data(body, true)
  }

  #reset(details: string): void {
    this.request.close()
    this.response.close()
    this.info.responseDetails = details
    this.#sink.reset(details)
  }

  /** @param running - the direction in which its callback runs now, which goes on by itself */
  #fail(filter: Filter, running?: Direction): void {
    if (filter.bypassed || this.#ended) return
    if (filter.spec.failStrategy !== 'FAIL_OPEN') {
      if (filter.failed) return
      filter.failed = true
      this.#localReply(emptyReply(503, 'wasm_fail_stream', GRPC_UNAVAILABLE))
      return
    }
    filter.bypassed = true
    if (running !== 'request') this.request.resume(filter, false)
    if (running !== 'response') this.response.resume(filter, false)
  }

  clearRouteCache(): void {
    this.#sink.clearRouteCache()
  }

  /** @returns false when the stream has started as many callouts as it may */
  countCallout(limit: number): boolean {
    if (this.#callouts >= limit) return false
    this.#callouts++
    return true
  }

  property(path: readonly string[]): Uint8Array | undefined {
    return property(this, path)
  }

  /** What a plugin of this stream set, by the raw path. */
  storedProperty(key: string): Uint8Array | undefined {
    return this.#properties?.get(key)
  }

  setProperty(key: string, value: Uint8Array): void {
    this.#properties ??= new Map()
    this.#properties.set(key, value)
  }
}

function textReply(status: number, text: string, details: string): LocalReply {
  return { ...emptyReply(status, details), body: textToBytes(text) }
}
