/** What the Fetch adapter hands out: the request as it left the chain, and the means to give it up. */
import { toHeadersInit } from './fetch-headers.ts'
import type { HeaderMap } from './header-map.ts'

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
  /**
   * Aborted when the client has gone or the stream was answered otherwise; the upstream's timeout may
   * too. Made when it is asked for.
   */
  readonly abort: AbortController
  /**
   * The exchange may have to be given up while its request goes on: a body that can break off, a
   * callout that may answer. Without that, a platform which ends what a request has begun together with
   * the request (Workers) need not ask for `abort`.
   */
  readonly mayBreakOff: boolean
  /** A plugin asked for the upstream to be chosen again, from these headers. */
  readonly routeCleared: boolean
}

/** On Workers a controller with its signal costs as much as a header plugin: made for who asks for it. */
export class LazyAbort {
  #controller: AbortController | undefined
  #aborted = false

  get controller(): AbortController {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort()
    }
    return this.#controller
  }

  abort(): void {
    this.#aborted = true
    this.#controller?.abort()
  }
}

/** The one kind of it. A class: an object literal with an accessor is made slowly, one for each request. */
export class Outbound implements OutboundRequest {
  readonly method: string
  readonly headers: HeadersInit
  readonly headerMap: HeaderMap
  readonly body: ReadableStream | Uint8Array<ArrayBuffer> | null
  readonly mayBreakOff: boolean
  readonly routeCleared: boolean
  readonly #abort: LazyAbort

  /** @param dropped - told the names of headers that Fetch refuses */
  constructor(
    method: string,
    headers: HeaderMap,
    dropped: (name: string) => void,
    body: ReadableStream | Uint8Array<ArrayBuffer> | null,
    abort: LazyAbort,
    mayBreakOff: boolean,
    routeCleared: boolean,
  ) {
    this.method = method
    this.headers = toHeadersInit(headers, dropped)
    this.headerMap = headers
    this.body = body
    this.#abort = abort
    this.mayBreakOff = mayBreakOff
    this.routeCleared = routeCleared
  }

  get scheme(): string {
    return this.headerMap.get(':scheme') ?? 'http'
  }

  get authority(): string {
    return this.headerMap.get(':authority') ?? ''
  }

  get path(): string {
    return this.headerMap.get(':path') ?? '/'
  }

  get abort(): AbortController {
    return this.#abort.controller
  }
}
