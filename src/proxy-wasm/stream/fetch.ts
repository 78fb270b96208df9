/**
 * The Fetch adapter: drives a chain with a Request, hands what comes out to an upstream, drives it with
 * the Response. The only place of the machine where Request and Response exist. A chain in which no
 * plugin looks at a body passes the stream through untouched.
 */
import { LogLevel } from '../abi/enums.ts'
import type { Plugin } from '../vm/plugin.ts'
import type { VmPool } from '../vm/vm-pool.ts'
import type { StreamInfo } from './attributes.ts'
import { BodyPump, SMALL_BODY_BYTES } from './body-pump.ts'
import { Chain } from './chain.ts'
import { requestHeaderMap, responseHeaderMap, toHeadersInit } from './fetch-headers.ts'
import { FetchSink } from './fetch-sink.ts'
import type { HeaderMap } from './header-map.ts'
import type { IoContext } from './io-context.ts'
import { emptyReply, type LocalReply } from './local-reply.ts'

/** The request as it left the chain. */
export interface OutboundRequest {
  readonly method: string
  readonly scheme: string
  readonly authority: string
  /** With query. */
  readonly path: string
  readonly headers: HeadersInit
  /** The same headers as the chain has them, pseudo-headers included. */
  readonly headerMap: HeaderMap
  readonly body: ReadableStream | Uint8Array<ArrayBuffer> | null
  /** Aborted when the client has gone or the stream was answered otherwise; the upstream's timeout may too. */
  readonly abort: AbortController
  /** A plugin asked for the upstream to be chosen again, from these headers. */
  readonly routeCleared: boolean
}

export interface FetchStreamOptions {
  /** In request order. */
  readonly plugins: readonly Plugin[]
  readonly pool: VmPool
  readonly request: Request
  readonly io: IoContext
  readonly info: StreamInfo
  /** Changes the request's headers before the first plugin sees them (forwarded headers and the like). */
  readonly prepare?: (headers: HeaderMap) => void
  /**
   * Sends the request on.
   * @returns the upstream's response, or a reply in its place (no route, no upstream, refused, timeout)
   */
  readonly forward: (outbound: OutboundRequest) => Promise<Response | LocalReply>
  /** Content codings that reading a response body undoes by itself here; gzip and br on Workers. */
  readonly decoded?: ReadonlySet<string>
}

/** Workers' addition to Response: the other end of an upgraded connection. */
interface UpgradedResponse {
  readonly webSocket?: unknown
}

/** RFC 9110 §15.3.5, §15.3.6, §15.4.5: no body, not even an empty one. */
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304])
const DECODED: ReadonlySet<string> = new Set(['gzip', 'br'])
const WAIT_MARGIN_MS = 5

/** Runs one request through a chain of plugins. Never rejects for what a plugin or client does. */
export function runFetchStream(options: FetchStreamOptions): Promise<Response> {
  return new FetchStream(options).run()
}

class FetchStream {
  readonly #options: FetchStreamOptions
  readonly #sink = new FetchSink()
  readonly #abort = new AbortController()
  readonly #chain: Chain
  #pausedSince: number | undefined

  constructor(options: FetchStreamOptions) {
    this.#options = options
    const { plugins, io, info, pool } = options
    this.#chain = new Chain({ plugins, io, strand: pool.strand, sink: this.#sink, info })
  }

  async run(): Promise<Response> {
    const { request } = this.#options
    // without this, a stream whose client leaves would stay in its vms: nothing else of it runs again
    request.signal.addEventListener('abort', this.#clientGone)
    try {
      const upstream = await this.#requestPhase()
      if (upstream !== undefined) return await this.#responsePhase(upstream)
      this.#abort.abort()
      return this.#localResponse()
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
    const { info, pool, request } = this.#options
    if (this.#chain.ended) return
    info.duration = pool.ports.clock.realtime() - info.startTime
    this.#chain.end()
    request.signal.removeEventListener('abort', this.#clientGone)
  }

  /** Whether there is an answer, or nobody to give one to. */
  get #over(): boolean {
    return this.#sink.answered || this.#chain.ended
  }

  /** @returns the upstream's response, or undefined when the stream is answered without one */
  async #requestPhase(): Promise<Response | undefined> {
    const { request, prepare } = this.#options
    const chain = this.#chain
    const sink = this.#sink
    const headers = requestHeaderMap(request, request.headers.has('upgrade'))
    prepare?.(headers)
    const { body } = request
    const reads = body !== null && chain.request.readsBody
    const pump = reads ? this.#requestPump(body, headers) : undefined
    chain.receiveRequestHeaders(headers, body === null)
    while (!this.#over && sink.request.headers === undefined) {
      if (pump) await pump.step()
      else await this.#untilMoved()
    }
    // a small body is finished first: it can be sent whole, and its plugins can still answer
    while (pump && !pump.finished && !this.#over && isSmall(headers)) await pump.step()
    if (this.#over) return undefined
    const passed = sink.request.headers as HeaderMap
    const answer = await this.#forward(passed, this.#outboundBody(body, pump))
    if (answer === undefined || this.#over) return undefined
    if (answer instanceof Response) return answer
    chain.receiveLocalReply(answer)
    await this.#untilAnswered()
    return undefined
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

  #outboundBody(
    body: ReadableStream | null,
    pump: BodyPump | undefined,
  ): ReadableStream | Uint8Array<ArrayBuffer> | null {
    if (pump === undefined) return body
    if (pump.finished) {
      const bytes = this.#sink.request.all()
      return bytes.length === 0 ? null : bytes
    }
    return pump.stream(
      () => undefined,
      () => this.#sink.broken,
    )
  }

  async #forward(
    headers: HeaderMap,
    body: ReadableStream | Uint8Array<ArrayBuffer> | null,
  ): Promise<Response | LocalReply | undefined> {
    const { forward, info, pool, request } = this.#options
    const chain = this.#chain
    if (request.body !== body) headers.remove('content-length')
    // a plugin that reads the answer reads it plain
    if (chain.response.readsBody) headers.replace('accept-encoding', 'identity')
    const method = headers.get(':method') ?? request.method
    const started = pool.ports.clock.monotonic()
    const answer = forward({
      method,
      scheme: headers.get(':scheme') ?? 'http',
      authority: headers.get(':authority') ?? '',
      path: headers.get(':path') ?? '/',
      headers: toHeadersInit(headers, (name) => this.#dropped(name)),
      body: method === 'GET' || method === 'HEAD' ? null : body,
      headerMap: headers,
      abort: this.#abort,
      routeCleared: this.#sink.routeCleared,
    })
    const result = await (chain.mayBeAnswered ? this.#orAnswered(answer) : answer)
    info.backendLatency = pool.ports.clock.monotonic() - started
    return result
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
    const { body } = upstream
    const reads = body !== null && chain.response.readsBody
    let pump: BodyPump | undefined
    if (reads) {
      const coding = this.#stripCoding(headers)
      if (coding === 'unknown') {
        chain.receiveLocalReply(emptyReply(502, 'response_coding_unknown'))
        return this.#localResponse()
      }
      pump = this.#responsePump(coding === 'deflate' ? inflate(body) : body, headers)
    }
    chain.receiveResponseHeaders(headers, body === null)
    while (!this.#over) {
      if (pump) await pump.step()
      else await this.#untilMoved()
    }
    if (chain.answered || chain.ended || sink.broken !== undefined) {
      this.#abort.abort()
      return this.#localResponse()
    }
    const small = pump !== undefined && declaredSize(headers) !== undefined && isSmall(headers)
    while (small && pump && !pump.finished) await pump.step()
    if (pump === undefined) return this.#passThrough(upstream, headers)
    const init = this.#responseInit(headers, true)
    if (pump.finished && sink.broken === undefined) {
      const bytes = sink.response.all()
      this.#end()
      return new Response(NULL_BODY.has(init.status) || bytes.length === 0 ? null : bytes, init)
    }
    const stream = pump.stream(
      () => this.#end(),
      () => sink.broken,
    )
    return new Response(stream, init)
  }

  /** No plugin looks at the body: it goes through untouched, and the stream's contexts end now. */
  #passThrough(upstream: Response, headers: HeaderMap): Response {
    this.#end()
    if (!headers.edited) return upstream
    const init = this.#responseInit(headers, false)
    return new Response(NULL_BODY.has(init.status) ? null : upstream.body, init)
  }

  async #upgraded(upstream: Response): Promise<Response> {
    const headers = responseHeaderMap(upstream)
    this.#chain.receiveResponseHeaders(headers, true)
    if (this.#chain.answered) return this.#localResponse()
    this.#end()
    const init = toHeadersInit(headers, (name) => this.#dropped(name))
    const { webSocket } = upstream as unknown as UpgradedResponse
    return new Response(null, { status: 101, headers: init, webSocket } as ResponseInit)
  }

  #responsePump(body: ReadableStream, headers: HeaderMap): BodyPump {
    return new BodyPump({
      direction: 'response',
      chain: this.#chain,
      outlet: this.#sink.response,
      body,
      size: declaredSize(headers),
      untilMoved: () => this.#untilMoved(),
    })
  }

  /** Plugins see decoded bytes and no content-encoding. @returns what is left to undo */
  #stripCoding(headers: HeaderMap): 'none' | 'deflate' | 'unknown' {
    const coding = headers.get('content-encoding')?.trim().toLowerCase()
    if (coding === undefined || coding === '' || coding === 'identity') return 'none'
    const decoded = this.#options.decoded ?? DECODED
    if (!decoded.has(coding) && coding !== 'deflate') return 'unknown'
    headers.remove('content-encoding')
    headers.remove('content-length')
    return decoded.has(coding) ? 'none' : 'deflate'
  }

  /** A reply of a plugin's or of the machine's own; the chain has let it out already, or never will. */
  async #localResponse(): Promise<Response> {
    await this.#untilAnswered()
    const { headers } = this.#sink.response
    if (headers === undefined) {
      this.#end()
      return new Response(null, { status: 503 })
    }
    while (!this.#sink.response.ended && this.#sink.broken === undefined && !this.#chain.ended) {
      await this.#untilMoved()
    }
    const init = this.#responseInit(headers, false)
    const bytes = this.#sink.response.all()
    this.#end()
    return new Response(bytes.length === 0 || NULL_BODY.has(init.status) ? null : bytes, init)
  }

  #responseInit(headers: HeaderMap, bodyRead: boolean): ResponseInit & { readonly status: number } {
    const status = Number(headers.get(':status'))
    if (bodyRead) headers.remove('content-length')
    const init = toHeadersInit(headers, (name) => this.#dropped(name))
    // Fetch builds no response outside of 200–599: what a plugin made of it cannot be sent
    if (!(status >= 200 && status <= 599)) return { status: 502, headers: init }
    return { status, headers: init }
  }

  #dropped(name: string): void {
    this.#options.pool.ports.log.log({
      level: LogLevel.Warn,
      message: `header ${JSON.stringify(name)} was dropped: HTTP does not allow its name or value`,
      plugin: '',
      rootId: '',
      vmId: '',
      contextId: 0,
    })
  }

  async #untilAnswered(): Promise<void> {
    while (!this.#sink.answered && !this.#chain.ended) await this.#untilMoved()
  }

  /** Waits for a callout, another request or time to move the paused stream; at the limit it fails. */
  async #untilMoved(): Promise<void> {
    const chain = this.#chain
    const { timers } = this.#options.pool.ports
    const now = this.#now()
    this.#pausedSince ??= now
    const end = this.#pausedSince + chain.pauseMs
    const until = Math.min(end, chain.nextTurn ?? end)
    await chain.changed(Math.max(until - now, 0) + WAIT_MARGIN_MS, timers.after)
    if (this.#now() > end) chain.receivePauseTimeout()
    else chain.turn()
    if (!chain.paused) this.#pausedSince = undefined
  }

  #now(): number {
    return Number(this.#options.pool.ports.clock.monotonic() / 1_000_000n)
  }
}

/** Content-length as a number of bytes, unless it is no number or the body is encoded. */
function declaredSize(headers: HeaderMap): number | undefined {
  const declared = headers.get('content-length')
  if (declared === undefined || !/^\d+$/.test(declared)) return undefined
  return Number(declared)
}

function isSmall(headers: HeaderMap): boolean {
  return (declaredSize(headers) ?? Number.POSITIVE_INFINITY) <= SMALL_BODY_BYTES
}

function inflate(body: ReadableStream): ReadableStream {
  return body.pipeThrough(new DecompressionStream('deflate'))
}
