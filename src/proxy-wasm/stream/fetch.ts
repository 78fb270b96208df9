/**
 * The Fetch adapter: drives a chain with a Request, hands what comes out to an upstream, drives it with
 * the Response. The only place of the machine where Request and Response exist. A chain in which no
 * plugin looks at a body passes the stream through untouched.
 */
import { LogLevel } from '../abi/enums.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import type { Plugin } from '../vm/plugin.ts'
import type { VmPool } from '../vm/vm-pool.ts'
import type { StreamInfo } from './attributes.ts'
import { BodyPump } from './body-pump.ts'
import { Chain } from './chain.ts'
import type { ChainOptions } from './chain-options.ts'
import { ClientWatch } from './client-watch.ts'
import { inflate, stripCoding } from './content-coding.ts'
import {
  declaredSize,
  requestHeaderMap,
  responseHeaderMap,
  toHeadersInit,
} from './fetch-headers.ts'
import {
  droppedHeader,
  editedResponse,
  responseInit,
  responseOf,
  wholeResponse,
  type WorkersResponseInit,
} from './fetch-response.ts'
import { FetchSink } from './fetch-sink.ts'
import type { HeaderMap } from './header-map.ts'
import type { IoContext } from './io-context.ts'
import { emptyReply, hasNoBody, type LocalReply, missingHeader } from './local-reply.ts'
import { LazyAbort, Outbound, type OutboundRequest } from './outbound-request.ts'

export type { OutboundRequest } from './outbound-request.ts'

/** Who hears how a request was answered. */
export interface StreamObserver {
  /** Called once, when the response's headers are known. */
  answered(status: number): void
}

export interface FetchStreamOptions extends Pick<ChainOptions, 'shadows' | 'watches'> {
  /** In request order. */
  readonly plugins: readonly Plugin[]
  readonly pool: VmPool
  readonly request: Request
  readonly io: IoContext
  readonly observer?: StreamObserver
  readonly info: StreamInfo
  /** Changes the request's headers before the first plugin sees them (forwarded headers and the like). */
  prepare?(headers: HeaderMap): void
  /**
   * Sends the request on.
   * @returns the upstream's response, or a reply in its place (no route, no upstream, refused, timeout)
   */
  forward(outbound: OutboundRequest): Promise<Response | LocalReply>
  /** Content codings that reading a response body undoes by itself here; gzip and br on Workers. */
  readonly decoded?: ReadonlySet<string>
}

const DECODED: ReadonlySet<string> = new Set(['gzip', 'br'])
const WAIT_MARGIN_MS = 5
/** How long an upstream that has answered may take what is left of the request's body. */
const UPLOAD_MS = 30_000
const CLIENT_BROKE = emptyReply(400, 'request_body_broken')
const UPSTREAM_BROKE = emptyReply(502, 'response_body_broken')

/** Whether no body byte is to come: then the headers are the end, as in Envoy. */
function isEmpty(body: ReadableStream | null, headers: HeaderMap): boolean {
  return body === null || declaredSize(headers) === 0
}

/** Runs one request through a chain of plugins. Never rejects for what a plugin or client does. */
export function runFetchStream(options: FetchStreamOptions): Promise<Response> {
  return new FetchStream(options).run()
}

class FetchStream {
  readonly #options: FetchStreamOptions
  readonly #sink = new FetchSink()
  readonly #abort = new LazyAbort()
  #watch: ClientWatch | undefined
  readonly #chain: Chain
  #pausedSince: number | undefined
  #moves = 0
  #stopTicks: (() => void) | undefined
  /** Resolves when the request's body has been sent, where that may be after the response. */
  #sending: PromiseWithResolvers<void> | undefined

  constructor(options: FetchStreamOptions) {
    this.#options = options
    const { plugins, io, info, pool, shadows, watches } = options
    const { strand } = pool
    const sink = this.#sink
    const check = missingHeader
    this.#chain = new Chain({ plugins, shadows, watches, io, strand, sink, info, check })
  }

  async run(): Promise<Response> {
    const { request } = this.#options
    // without this, a stream whose client leaves would stay in its vms: nothing else of it runs again
    this.#watch = new ClientWatch(request.signal, this.#clientGone)
    const { io, pool } = this.#options
    if (pool.ticks.wanted) this.#stopTicks = pool.ticks.during(io)
    try {
      const upstream = await this.#requestPhase()
      const response =
        upstream === undefined ? await this.#localResponse() : await this.#responsePhase(upstream)
      this.#options.observer?.answered(response.status)
      return response
    } catch (error) {
      this.#end()
      throw error
    }
  }

  readonly #clientGone = (): void => {
    this.#options.io.gone = true
    this.#end()
    this.#abort.abort()
  }

  #end(): void {
    const { info, pool } = this.#options
    if (this.#chain.ended) return
    info.duration = pool.ports.clock.realtime() - info.startTime
    this.#chain.end()
    this.#stopTicks?.()
    this.#watch?.stop()
  }

  /** The response has left: the stream ends now, or when the upstream has taken the request's body. */
  #responseEnded(): void {
    const { io, pool } = this.#options
    const sending = this.#sending
    if (sending === undefined) {
      this.#end()
      return
    }
    const cancel = pool.ports.timers.after(UPLOAD_MS, sending.resolve)
    const ended = sending.promise.then(cancel).then(() => this.#end())
    io.waitUntil(ended)
  }

  /** Whether there is an answer, or nobody to give one to. */
  get #over(): boolean {
    return this.#sink.answered || this.#chain.ended
  }

  /** @returns the upstream's response, or undefined when the stream is answered without one */
  async #requestPhase(): Promise<Response | undefined> {
    const { request } = this.#options
    const chain = this.#chain
    const sink = this.#sink
    const headers = requestHeaderMap(request, request.headers.has('upgrade'))
    this.#options.prepare?.(headers)
    const body = isEmpty(request.body, headers) ? null : request.body
    const pump =
      body !== null && chain.request.readsBody ? this.#requestPump(body, headers) : undefined
    chain.receiveRequestHeaders(headers, body === null)
    while (!this.#over && sink.request.headers === undefined) await this.#step(pump, CLIENT_BROKE)
    // a small body is finished first: it can be sent whole, and its plugins can still answer
    while (pump?.small && !pump.finished && !this.#over) await this.#step(pump, CLIENT_BROKE)
    if (this.#over) return undefined
    const answer = await this.#forward(sink.request.headers as HeaderMap, body, pump)
    if (answer === undefined || this.#over) {
      if (answer instanceof Response) await answer.body?.cancel().catch(() => undefined)
      return undefined
    }
    if (answer instanceof Response) return answer
    chain.receiveLocalReply(answer)
    return undefined
  }

  /** Lets the body or time move the chain. @param broke - the answer when whoever sends the body breaks off */
  async #step(pump: BodyPump | undefined, broke: LocalReply): Promise<void> {
    if (pump === undefined) return this.#untilMoved()
    try {
      await pump.step()
    } catch {
      this.#chain.receiveLocalReply(broke)
    }
  }

  #requestPump(body: ReadableStream, headers: HeaderMap): BodyPump {
    return new BodyPump({
      direction: 'request',
      chain: this.#chain,
      outlet: this.#sink.request,
      body,
      size: declaredSize(headers),
      untilMoved: () => this.#untilMoved(),
    })
  }

  async #forward(
    passed: HeaderMap,
    received: ReadableStream | null,
    pump: BodyPump | undefined,
  ): Promise<Response | LocalReply | undefined> {
    const { info, pool, request } = this.#options
    const chain = this.#chain
    const method = passed.get(':method') ?? request.method
    const body = method === 'GET' || method === 'HEAD' ? null : this.#outboundBody(received, pump)
    const plain = chain.response.editsBody
    // what is changed for the upstream's sake is not for the plugins to see
    const headers = plain || body !== request.body ? passed.clone() : passed
    if (body !== request.body) headers.remove('content-length')
    // a plugin that reads the answer reads it plain
    if (plain) headers.replace('accept-encoding', 'identity')
    const started = pool.ports.clock.monotonic()
    const answer = this.#options.forward(
      new Outbound(
        method,
        headers,
        this.#dropped,
        body,
        this.#abort,
        body !== null || chain.mayBeAnswered,
        this.#sink.routeCleared,
      ),
    )
    try {
      const mayBeAnswered = chain.mayBeAnswered || this.#sending !== undefined
      return await (mayBeAnswered ? this.#orAnswered(answer) : answer)
    } catch (error) {
      // it was given up because the client has gone
      if (chain.ended) return undefined
      throw error
    } finally {
      info.backendLatency = pool.ports.clock.monotonic() - started
    }
  }

  #outboundBody(
    received: ReadableStream | null,
    pump: BodyPump | undefined,
  ): ReadableStream | Uint8Array<ArrayBuffer> | null {
    if (pump === undefined) return received
    if (pump.finished) {
      const bytes = this.#sink.request.all()
      return bytes.length === 0 ? null : bytes
    }
    const sending = Promise.withResolvers<void>()
    this.#sending = sending
    const onEnd = (whole: boolean): void => {
      if (!whole) this.#abort.abort()
      sending.resolve()
    }
    return pump.stream(onEnd, () => this.#sink.broken)
  }

  /** Whichever is first: the upstream, or a plugin that answers meanwhile (a callout it did not wait for). */
  #orAnswered(answer: Promise<Response | LocalReply>): Promise<Response | LocalReply | undefined> {
    const answered = new Promise<undefined>((resolve) => {
      if (this.#sink.answered) resolve(undefined)
      else this.#sink.onAnswer = () => resolve(undefined)
    })
    return Promise.race([answer, answered])
  }

  async #responsePhase(upstream: Response): Promise<Response> {
    const chain = this.#chain
    const sink = this.#sink
    if (upstream.status === 101) return this.#upgraded(upstream)
    const headers = responseHeaderMap(upstream)
    const pump = this.#responsePump(upstream, headers)
    if (pump === 'unreadable') {
      chain.receiveLocalReply(emptyReply(502, 'response_coding_unknown'))
      return this.#localResponse()
    }
    chain.receiveResponseHeaders(headers, isEmpty(upstream.body, headers))
    while (!this.#over) await this.#step(pump, UPSTREAM_BROKE)
    if (chain.answered || chain.ended || sink.broken !== undefined) {
      await this.#giveUp(upstream, pump)
      return this.#localResponse()
    }
    if (pump === undefined) return this.#passThrough(upstream, headers)
    try {
      while (pump.small && !pump.finished) await pump.step()
    } catch {
      // the stream below breaks in the same way, which is all that can still be said
    }
    const bodiless = hasNoBody(Number(headers.get(':status')))
    if (bodiless && !sink.response.ended) await this.#giveUp(upstream, pump)
    if (bodiless || sink.response.ended) {
      const bytes = sink.response.all()
      this.#responseEnded()
      return this.#whole(headers, bytes)
    }
    const stream = pump.stream(
      () => this.#responseEnded(),
      () => sink.broken,
    )
    return responseOf(stream, responseInit(headers, undefined, this.#warn))
  }

  /** The upstream's body is not wanted any more. */
  async #giveUp(upstream: Response, pump: BodyPump | undefined): Promise<void> {
    this.#abort.abort()
    if (pump) await pump.cancel('answered')
    else await upstream.body?.cancel().catch(() => undefined)
  }

  /** No plugin looks at the body: it goes through untouched, and the stream's contexts end now. */
  #passThrough(upstream: Response, headers: HeaderMap): Response {
    this.#responseEnded()
    if (!headers.edited) return upstream
    const bodiless = hasNoBody(Number(headers.get(':status')))
    const edited = bodiless ? undefined : editedResponse(upstream, headers, this.#warn)
    if (edited !== undefined) return edited
    const length = bodiless && upstream.body !== null ? undefined : headers.get('content-length')
    const init: WorkersResponseInit = {
      ...responseInit(headers, length, this.#warn),
      // these bytes are the upstream's: what coding they are in, the platform knows
      encodeBody: 'automatic',
    }
    return responseOf(bodiless ? null : upstream.body, init)
  }

  async #upgraded(upstream: Response): Promise<Response> {
    const headers = responseHeaderMap(upstream)
    this.#chain.receiveResponseHeaders(headers, true)
    while (!this.#over) await this.#untilMoved()
    if (this.#chain.answered || this.#sink.broken !== undefined) return this.#localResponse()
    this.#end()
    const { webSocket } = upstream as unknown as WorkersResponseInit
    const kept = toHeadersInit(headers, this.#dropped)
    return responseOf(null, { status: 101, headers: kept, webSocket })
  }

  /** @returns nothing when no plugin reads the body, `unreadable` when one must and cannot */
  #responsePump(upstream: Response, headers: HeaderMap): BodyPump | 'unreadable' | undefined {
    const chain = this.#chain
    const { body } = upstream
    if (body === null || isEmpty(body, headers) || !chain.response.readsBody) return undefined
    // a plugin that looks on is no reason for the client to get another coding
    if (!chain.response.editsBody && headers.has('content-encoding')) return undefined
    const coding = stripCoding(headers, this.#options.decoded ?? DECODED)
    if (coding === 'unknown') return chain.response.leaveOutReaders() ? undefined : 'unreadable'
    return new BodyPump({
      direction: 'response',
      chain,
      outlet: this.#sink.response,
      body: coding === 'deflate' ? inflate(body) : body,
      size: declaredSize(headers),
      untilMoved: () => this.#untilMoved(),
    })
  }

  /** A reply of a plugin's or of the machine's own; the chain has let it out already, or never will. */
  async #localResponse(): Promise<Response> {
    const sink = this.#sink
    while (!this.#over) await this.#untilMoved()
    this.#abort.abort()
    while (!sink.response.ended && sink.broken === undefined && !this.#chain.ended) {
      await this.#untilMoved()
    }
    const { headers, ended } = sink.response
    const bytes = sink.response.all()
    this.#end()
    // what was cut short was not begun to be sent yet: it need not be a broken body
    if (headers === undefined || !ended) return new Response(null, { status: 503 })
    return this.#whole(headers, bytes)
  }

  #whole(headers: HeaderMap, bytes: Uint8Array<ArrayBuffer>): Response {
    const isHead = this.#chain.requestHeaders?.get(':method') === 'HEAD'
    return wholeResponse(headers, bytes, isHead, this.#warn)
  }

  readonly #dropped = (name: string): void => this.#warn(droppedHeader(name))

  readonly #warn = (message: string): void => {
    const { log } = this.#options.pool.ports
    const level = LogLevel.Warn
    if (level < log.level) return
    log.log({ level, message, plugin: '', rootId: '', vmId: '', contextId: 0 })
  }

  /** Waits for a callout, another request or time to move the paused stream; at the limit it fails. */
  async #untilMoved(): Promise<void> {
    const chain = this.#chain
    const { pool } = this.#options
    const now = pool.now()
    if (this.#moves !== chain.moves) this.#pausedSince = undefined
    this.#moves = chain.moves
    this.#pausedSince ??= now
    const end = this.#pausedSince + (chain.holder?.spec.limits ?? DEFAULT_LIMITS).pauseMs
    const until = Math.min(end, chain.nextTurn ?? end)
    await chain.changed(Math.max(until - now, 0) + WAIT_MARGIN_MS, pool.ports.timers.after)
    if (chain.moves === this.#moves && pool.now() > end) chain.receivePauseTimeout()
    else chain.turn()
  }
}
