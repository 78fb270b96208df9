/**
 * One stream through all its plugins. Events come in from an adapter, effects go out to a sink; what
 * guests ask for meanwhile is mail, so that no guest is entered while one runs and nothing of this
 * stream happens in another request's I/O context.
 */
import type { Strand } from '../vm/strand.ts'
import type { StreamInfo } from './attributes.ts'
import { filtersOf, holderOf, nextTurnOf, StoredBeside } from './chain-filters.ts'
import type { ChainOptions } from './chain-options.ts'
import type { Direction, EffectSink } from './effects.ts'
import type { Filter } from './filter.ts'
import type { HeaderMap } from './header-map.ts'
import { type IoContext, isRunningIn, runIn } from './io-context.ts'
import { failedReply, isGrpc, type LocalReply, prepareLocalReply, tooLarge } from './local-reply.ts'
import { type Mail, Mailbox } from './mailbox.ts'
import { Passage } from './passage.ts'

export class Chain {
  readonly info: StreamInfo
  readonly request: Passage
  readonly response: Passage
  readonly filters: readonly Filter[]
  readonly io: IoContext
  readonly strand: Strand
  readonly #sink: EffectSink
  readonly #beside: boolean
  readonly #check: ChainOptions['check']
  readonly #mail = new Mailbox()
  /** To be set by events alone. */
  requestHeaders: HeaderMap | undefined
  responseHeaders: HeaderMap | undefined
  #requestSent = false
  #requestDone = false
  #responseSent = false
  #responseDone = false
  #answered = false
  #failing = false
  #broken = false
  #ended = false
  #busy = 0
  #callouts = 0
  /** How often something that was held went on. */
  moves = 0
  /** What plugins of this stream set, by the raw path. */
  readonly stored: Map<string, Uint8Array>
  /** Why it was not the upstream that answered. */
  responseDetails: string | undefined
  /** Body bytes that entered the chain in each direction, for attributes. */
  requestBytes = 0
  responseBytes = 0

  constructor(options: ChainOptions) {
    this.info = options.info
    this.io = options.io
    this.strand = options.strand
    this.#sink = options.sink
    this.#check = options.check
    this.#beside = options.beside !== undefined
    this.stored = options.beside ? new StoredBeside(options.beside.stored) : new Map()
    this.filters = filtersOf(this, options, Chain)
    this.request = new Passage(this, 'request', this.filters)
    this.response = new Passage(this, 'response', this.filters.toReversed())
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

  /** The first plugin that holds something back in either direction. */
  get holder(): Filter | undefined {
    return holderOf(this)
  }

  /** Whether a reply may come from elsewhere than the upstream: a callout is under way. */
  get mayBeAnswered(): boolean {
    return this.#callouts > 0
  }

  /** Event: the stream begins before its headers are known. Guests hear of it now instead of with them. */
  begin(): void {
    this.#enter(() => {
      for (const filter of this.filters) filter.open()
    })
  }

  /** Event: the request's headers, pseudo-headers included. */
  receiveRequestHeaders(headers: HeaderMap, endOfStream: boolean): void {
    this.requestHeaders = headers
    this.#enter(() => this.request.headers(headers, endOfStream))
  }

  /** Event: bytes of the request's body, which the chain may keep. */
  receiveRequestData(chunk: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.requestBytes += chunk.length
    this.#enter(() => this.request.data(chunk, endOfStream))
  }

  /** Event: the upstream's response headers. Ignored when the stream was answered meanwhile. */
  receiveResponseHeaders(headers: HeaderMap, endOfStream: boolean): void {
    this.#enter(() => {
      if (this.#answered) return
      this.responseHeaders = headers
      this.response.headers(headers, endOfStream)
    })
  }

  /** Event: bytes of the response's body, which the chain may keep. */
  receiveResponseData(chunk: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.#enter(() => {
      if (this.#answered) return
      this.responseBytes += chunk.length
      this.response.data(chunk, endOfStream)
    })
  }

  /** Event: the gateway answers itself, as a plugin would (no upstream, no route). */
  receiveLocalReply(reply: LocalReply): void {
    this.#enter(() => this.#localReply(reply))
  }

  /** Event: the stream has been paused for longer than it may. Who holds it fails. */
  receivePauseTimeout(): void {
    this.#enter(() => {
      const { holder } = this
      if (holder === undefined) return
      // who holds the very reply to a failure is not asked again
      if (this.#failing) this.#replyDirectly(failedReply())
      else this.#fail(holder, undefined, holder.heldTooLong())
    })
  }

  /** Event: time has passed. Ticks and abandoned callouts that are due, then the mail. */
  turn(): void {
    this.#enter(() => {
      for (const filter of this.filters) filter.root?.turn()
    })
  }

  /** Event: the stream is over, properly or not. Logs, then ends the contexts; safe to repeat. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.request.close()
    this.response.close()
    this.#mail.clear()
    runIn(this.io, () => {
      for (const filter of this.filters) filter.log()
      for (const filter of this.filters) filter.close()
    })
    this.#mail.wake()
  }

  /**
   * Waits for mail from elsewhere (a callout's reply, another request) that moved the stream, for at
   * most `ms`. The promise and its timer are this request's own; others only call the resolver.
   * @param after - the timers port, which runs in this request's I/O context
   */
  changed(ms: number, after: (ms: number, callback: () => void) => () => void): Promise<void> {
    return this.#mail.wait(ms, after)
  }

  /**
   * Waits for `promise` unless mail comes first, which is then delivered.
   * @returns what the promise gives, or undefined when the stream has moved meanwhile
   */
  async orMoved<T>(promise: Promise<T>): Promise<T | undefined> {
    const first = await this.#mail.waitOr(promise)
    if (first === undefined) runIn(this.io, () => this.#drain())
    return first
  }

  /**
   * Milliseconds of the monotonic clock at which a paused stream must take a turn by itself: a callout
   * of its vms is overdue, or a tick is due that may be what lets it go on.
   */
  get nextTurn(): number | undefined {
    return nextTurnOf(this.filters)
  }

  /** Something to be done to the stream when no guest runs; wakes its request if that is not running. */
  post(mail: Mail): void {
    if (this.#ended) return
    this.#mail.put(mail)
    this.strand.post(() => this.#flush())
  }

  #flush(): void {
    if (this.#busy > 0 || this.#ended) return
    if (isRunningIn(this.io)) this.#drain()
    this.#mail.wake()
  }

  #enter(event: () => void): void {
    if (this.#ended) return
    runIn(this.io, () => {
      // what was posted from another request comes first: it was there before the event
      this.#drain()
      if (this.#ended) return
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
      for (let mail = this.#mail.take(); mail !== undefined; mail = this.#mail.take()) {
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
        this.#localReply(mail.reply, mail.filter)
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
   * local reply, a reset), or what its trap asks for. The passage then looks whether it was closed.
   */
  settle(filter: Filter, direction: Direction): void {
    const ending = this.#mail.takeEnding()
    if (ending !== undefined) this.#deliver(ending)
    else if (!filter.alive && !filter.bypassed) this.#fail(filter, direction)
  }

  /** Whether a plugin may answer now. A reply to a reply that has not gone out takes its place. */
  get takesReply(): boolean {
    return !this.#mail.answered && !this.#over
  }

  sendHeaders(direction: Direction, headers: HeaderMap, endOfStream: boolean): void {
    const refusal = this.#check?.(direction, headers)
    if (refusal !== undefined) return this.#localReply(refusal)
    if (direction === 'request') {
      this.#requestSent = true
      this.#requestDone = endOfStream
      this.#sink.requestHeaders(headers, endOfStream)
    } else {
      this.#responseSent = true
      this.#responseDone = endOfStream
      this.#sink.responseHeaders(headers, endOfStream)
    }
  }

  sendData(direction: Direction, data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    if (direction === 'request') {
      this.#requestDone ||= endOfStream
      this.#sink.requestData(data, endOfStream)
    } else {
      this.#responseDone ||= endOfStream
      this.#sink.responseData(data, endOfStream)
    }
  }

  bodyTooLarge(direction: Direction, filter: Filter): void {
    this.#localReply(tooLarge(direction), filter)
  }

  /**
   * A local reply. Before there is a response it goes through the response callbacks of the plugins
   * that have seen the request; in place of a response it goes straight out; behind response headers
   * nothing but breaking off is left.
   * @param by - whose decision it is, where it is a plugin's
   */
  #localReply(reply: LocalReply, by?: Filter): void {
    if (this.#over) return
    by?.answers(reply)
    if (this.responseHeaders !== undefined) {
      this.#replyDirectly(reply)
      return
    }
    const { headers, body } = this.#prepare(reply)
    this.response.headers(headers, body.length === 0)
    if (body.length > 0) this.response.data(body, true)
  }

  #replyDirectly(reply: LocalReply): void {
    if (this.#over) return
    if (this.#responseSent) {
      this.#reset(reply.details)
      return
    }
    const { headers, body } = this.#prepare(reply)
    this.response.close()
    this.sendHeaders('response', headers, body.length === 0)
    if (body.length > 0) this.sendData('response', body, true)
  }

  #prepare(reply: LocalReply): ReturnType<typeof prepareLocalReply> {
    this.request.close()
    this.#sink.localReply?.(reply)
    this.#answered = true
    this.#answerIs(reply.details)
    const request = this.requestHeaders
    const prepared = prepareLocalReply(reply, isGrpc(request), request?.get(':method') === 'HEAD')
    this.responseHeaders = prepared.headers
    return prepared
  }

  /** Whether nothing can be said to the client any more. */
  get #over(): boolean {
    return this.#ended || this.#broken || this.#responseDone
  }

  #reset(details: string): void {
    if (this.#over) return
    this.#broken = true
    this.request.close()
    this.response.close()
    this.#answerIs(details)
    this.#sink.reset(details)
  }

  #answerIs(details: string): void {
    this.responseDetails = details
    if (!this.#beside) this.info.responseDetails = details
  }

  /** @param running - the direction in which its callback runs now, which goes on by itself */
  #fail(filter: Filter, running?: Direction, reason?: string): void {
    if (filter.bypassed || this.#ended) return
    const { plugin, failsOpen } = filter
    // one of a plugin that had nothing left to do in the stream does not end it
    const matters = !this.#responseSent || this.#needs(filter)
    if (filter.tally !== undefined && (matters || running)) filter.tally.failed = true
    // nor does a second one
    if (matters && !this.#failing) {
      const open = failsOpen && plugin.failOpen()
      filter.tellFailure(open, reason)
      if (!open) {
        this.#failing = true
        this.#localReply(filter.failClosed())
        return
      }
    }
    filter.bypass()
    if (running !== 'request') this.request.resume(filter, false)
    if (running !== 'response') this.response.resume(filter, false)
  }

  #needs(filter: Filter): boolean {
    return (!this.#requestDone && this.request.needs(filter)) || this.response.needs(filter)
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
}
