/** The effect sink of tests: keeps what leaves the chain, in each direction, until it is looked at. */
import type { Direction, EffectSink, HeaderMap, LocalReply } from '../proxy-wasm/index.ts'

/** One direction of what left the chain. */
export class Recorded {
  /** A copy, as it was when it left. */
  headers: HeaderMap | undefined
  ended = false
  readonly #chunks: Uint8Array<ArrayBuffer>[] = []
  #taken = 0

  put(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.#chunks.push(data)
    this.ended ||= endOfStream
  }

  /** Body bytes that left since this was last asked. */
  take(): Uint8Array<ArrayBuffer> {
    const fresh = this.#chunks.slice(this.#taken)
    this.#taken = this.#chunks.length
    return joined(fresh)
  }

  /** The whole body. */
  get body(): Uint8Array<ArrayBuffer> {
    return joined(this.#chunks)
  }
}

export class RecordingSink implements EffectSink {
  readonly request: Recorded = new Recorded()
  readonly response: Recorded = new Recorded()
  /** What a plugin, or the machine, answered in place of an upstream. */
  reply: LocalReply | undefined
  /** Details of a reset. */
  broken: string | undefined
  routeCleared = false

  requestHeaders(headers: HeaderMap, endOfStream: boolean): void {
    this.#headers('request', headers, endOfStream)
  }

  requestData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.request.put(data, endOfStream)
  }

  responseHeaders(headers: HeaderMap, endOfStream: boolean): void {
    this.#headers('response', headers, endOfStream)
  }

  responseData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.response.put(data, endOfStream)
  }

  localReply(reply: LocalReply): void {
    this.reply = reply
  }

  reset(details: string): void {
    this.broken = details
  }

  clearRouteCache(): void {
    this.routeCleared = true
  }

  #headers(direction: Direction, headers: HeaderMap, endOfStream: boolean): void {
    const recorded = this[direction]
    recorded.headers = headers.clone()
    recorded.ended = endOfStream
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
