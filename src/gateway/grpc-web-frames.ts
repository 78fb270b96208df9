/**
 * The wire format of gRPC-Web: each frame is a byte of flags, four bytes of length (big-endian) and that
 * many bytes. A frame with the highest bit set carries the trailers as an HTTP/1 header block.
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
import type { ByteString } from '../proxy-wasm/index.ts'

const HEAD_BYTES = 5
const TRAILERS = 0x80

export type GrpcWebFrame =
  | { readonly kind: 'message'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'trailers'; readonly lines: ByteString[] }

/** What no frame may be: longer than the limit, or of a kind that was not asked for. */
export class GrpcWebFrameError extends Error {
  override readonly name = 'GrpcWebFrameError'
  readonly reason: 'too-large' | 'flags'

  constructor(reason: 'too-large' | 'flags', message: string) {
    super(message)
    this.reason = reason
  }
}

/** @returns the one message of a request, in its frame */
export function encodeMessage(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEAD_BYTES + message.length)
  new DataView(frame.buffer).setUint32(1, message.length)
  frame.set(message, HEAD_BYTES)
  return frame
}

/** Cuts a response's bytes into frames, however they arrive. Never holds more than one frame and a chunk. */
export class GrpcWebDecoder {
  readonly #limit: number
  readonly #head = new Uint8Array(HEAD_BYTES)
  #headSize = 0
  #body: Uint8Array<ArrayBuffer> | undefined
  #bodySize = 0

  /** @param limit - bytes that one frame may have */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether a frame has begun and not ended: at the end of the response it was cut off. */
  get unfinished(): boolean {
    return this.#headSize > 0
  }

  /**
   * @param chunk - the next bytes; not kept
   * @returns the frames that end in it
   * @throws GrpcWebFrameError for a frame that is too long, compressed, or of an unknown kind
   */
  *push(chunk: Uint8Array): Generator<GrpcWebFrame> {
    let at = 0
    // a frame of no bytes ends with its head, which may be the end of the chunk too
    while (at < chunk.length || this.#body?.length === 0) {
      if (this.#body === undefined) {
        at += this.#takeHead(chunk, at)
        if (this.#headSize < HEAD_BYTES) return
        this.#body = this.#begin()
      }
      const body = this.#body
      const size = Math.min(body.length - this.#bodySize, chunk.length - at)
      body.set(chunk.subarray(at, at + size), this.#bodySize)
      this.#bodySize += size
      at += size
      if (this.#bodySize < body.length) return
      const isTrailers = this.#head[0] === TRAILERS
      this.#headSize = 0
      this.#bodySize = 0
      this.#body = undefined
      yield isTrailers
        ? { kind: 'trailers', lines: parseTrailers(body) }
        : { kind: 'message', bytes: body }
    }
  }

  #takeHead(chunk: Uint8Array, at: number): number {
    const size = Math.min(HEAD_BYTES - this.#headSize, chunk.length - at)
    this.#head.set(chunk.subarray(at, at + size), this.#headSize)
    this.#headSize += size
    return size
  }

  #begin(): Uint8Array<ArrayBuffer> {
    const flags = this.#head[0] as number
    if (flags !== 0 && flags !== TRAILERS) {
      throw new GrpcWebFrameError('flags', `a frame with flags 0x${flags.toString(16)}`)
    }
    const size = new DataView(this.#head.buffer).getUint32(1)
    if (size > this.#limit) {
      throw new GrpcWebFrameError('too-large', `a frame of ${size} bytes, limit ${this.#limit}`)
    }
    return new Uint8Array(size)
  }
}

/** @returns flat name, value, …; names lower-case, lines without a colon left out */
export function parseTrailers(bytes: Uint8Array): ByteString[] {
  let block = ''
  for (const byte of bytes) block += String.fromCharCode(byte)
  const lines: ByteString[] = []
  for (const line of block.split(/\r\n|\n/)) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    lines.push(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return lines
}
