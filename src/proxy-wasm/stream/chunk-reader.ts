/**
 * Reads a body in pieces of up to 64 KiB. A default reader of workerd's hands out 4 KiB at a time, each
 * with a turn of its event loop; through a byte reader a megabyte costs a fourth. What is no byte
 * stream is read as it comes.
 */
const PIECE_BYTES = 64 * 1024

type Bytes = Uint8Array<ArrayBuffer>

export class ChunkReader {
  readonly #bytes: ReadableStreamBYOBReader | undefined
  readonly #plain: ReadableStreamDefaultReader<Bytes> | undefined
  /** Handed back by a read that did not need to keep it. */
  #spare: ArrayBuffer | undefined

  constructor(body: ReadableStream<Bytes>) {
    try {
      this.#bytes = body.getReader({ mode: 'byob' })
    } catch {
      this.#plain = body.getReader()
    }
  }

  /** @returns bytes of the caller's own as soon as there are some, undefined at the end */
  async read(): Promise<Bytes | undefined> {
    if (this.#bytes === undefined) {
      const next = await this.#plain?.read()
      return next?.value
    }
    const room = new Uint8Array(this.#spare ?? new ArrayBuffer(PIECE_BYTES))
    this.#spare = undefined
    const { done, value } = await this.#bytes.read(room)
    if (done || value === undefined) return undefined
    if (value.length * 2 > PIECE_BYTES) return value
    // a short piece must not keep all the room alive while a plugin holds it
    const piece = value.slice()
    this.#spare = value.buffer
    return piece
  }

  cancel(reason: unknown): Promise<void> {
    return (this.#bytes ?? this.#plain)?.cancel(reason) ?? Promise.resolve()
  }
}
