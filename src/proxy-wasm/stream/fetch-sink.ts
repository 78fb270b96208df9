/** The effect sink of the Fetch adapter: remembers what has come out of the chain until it is taken. */
import type { EffectSink } from './effects.ts'
import type { HeaderMap } from './header-map.ts'

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

/** Body bytes that left the chain and have not been taken yet. */
export class Outlet {
  headers: HeaderMap | undefined
  #chunks: Uint8Array<ArrayBuffer>[] | undefined
  /** The last byte has left the chain. */
  ended = false

  put(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    if (data.length > 0) (this.#chunks ??= []).push(data)
    if (endOfStream) this.ended = true
  }

  /** The next chunk, if there is one. */
  next(): Uint8Array<ArrayBuffer> | undefined {
    return this.#chunks?.shift()
  }

  /** All that is there, as one array. */
  all(): Uint8Array<ArrayBuffer> {
    const chunks = this.#chunks
    this.#chunks = undefined
    if (chunks === undefined) return EMPTY
    if (chunks.length === 1) return chunks[0] as Uint8Array<ArrayBuffer>
    let size = 0
    for (const chunk of chunks) size += chunk.length
    const joined = new Uint8Array(size)
    let at = 0
    for (const chunk of chunks) {
      joined.set(chunk, at)
      at += chunk.length
    }
    return joined
  }
}

export class FetchSink implements EffectSink {
  readonly request: Outlet = new Outlet()
  readonly response: Outlet = new Outlet()
  /** Details of a reset, once there was one. */
  broken: string | undefined
  /** A plugin asked for the upstream to be chosen again. */
  routeCleared = false
  /** Called when the stream can be answered, or has broken. */
  onAnswer: (() => void) | undefined

  /** Whether there is something to answer with, or nothing will come. */
  get answered(): boolean {
    return this.response.headers !== undefined || this.broken !== undefined
  }

  requestHeaders(headers: HeaderMap, endOfStream: boolean): void {
    this.request.headers = headers
    this.request.ended = endOfStream
  }

  requestData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.request.put(data, endOfStream)
  }

  responseHeaders(headers: HeaderMap, endOfStream: boolean): void {
    this.response.headers = headers
    this.response.ended = endOfStream
    this.onAnswer?.()
  }

  responseData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.response.put(data, endOfStream)
  }

  reset(details: string): void {
    this.broken = details
    this.onAnswer?.()
  }

  clearRouteCache(): void {
    this.routeCleared = true
  }
}
