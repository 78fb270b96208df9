/**
 * The body bytes that one plugin holds: chunks in order, joined only when somebody needs them whole.
 * Editing has the full splice meaning of the specification.
 */
const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

export class BodyBuffer {
  #chunks: Uint8Array<ArrayBuffer>[] = []
  #size = 0
  #edited = false

  /** Bytes held. */
  get size(): number {
    return this.#size
  }

  /** Whether a plugin has changed what is held or was held before. */
  get edited(): boolean {
    return this.#edited
  }

  /** Adds bytes that nobody else will change. */
  append(chunk: Uint8Array<ArrayBuffer>): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  /** All bytes as one array, which the buffer goes on owning. */
  whole(): Uint8Array<ArrayBuffer> {
    if (this.#chunks.length === 0) return EMPTY
    if (this.#chunks.length > 1) {
      const joined = new Uint8Array(this.#size)
      let at = 0
      for (const chunk of this.#chunks) {
        joined.set(chunk, at)
        at += chunk.length
      }
      this.#chunks = [joined]
    }
    return this.#chunks[0] as Uint8Array<ArrayBuffer>
  }

  /** Hands over all bytes and is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.whole()
    this.clear()
    return bytes
  }

  clear(): void {
    this.#chunks = []
    this.#size = 0
  }

  /**
   * Replaces `size` bytes from `start` by `data`. A start at or behind the end appends; a size that
   * runs over the end is cut there; start 0 and size 0 puts `data` in front.
   */
  splice(start: number, size: number, data: Uint8Array<ArrayBuffer>): void {
    this.#edited = true
    if (start >= this.#size) {
      this.append(data)
      return
    }
    if (start === 0 && size >= this.#size) {
      this.clear()
      this.append(data)
      return
    }
    const old = this.whole()
    const end = Math.min(start + size, old.length)
    this.clear()
    this.append(old.subarray(0, start))
    this.append(data)
    this.append(old.subarray(end))
  }
}
