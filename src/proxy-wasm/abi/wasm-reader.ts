/**
 * Reads the primitives of the wasm binary format from bytes that may be hostile. Anything that is not
 * as it should be throws `MalformedWasm`, which only the parsers of this folder see.
 * @see https://webassembly.github.io/spec/core/binary/values.html
 */

/** Where the bytes stop making sense, and why. */
export class MalformedWasm extends Error {
  override readonly name = 'MalformedWasm'
  readonly offset: number

  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

export class WasmReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** The offset of the next byte from the beginning of the file. */
  get offset(): number {
    return this.#at
  }

  get atEnd(): boolean {
    return this.#at >= this.#end
  }

  fail(message: string): never {
    throw new MalformedWasm(this.#at, message)
  }

  byte(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at] : undefined
    if (byte === undefined) return this.fail('unexpected end')
    this.#at += 1
    return byte
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32(): number {
    return this.#unsigned(32)
  }

  /** An unsigned LEB128 of at most 64 bits; above 2^53 its low bits are lost. */
  u64(): number {
    return this.#unsigned(64)
  }

  /** Steps over a LEB128 of at most `bits` bits. */
  skipLeb(bits: number): void {
    for (let read = 0; read < bits; read += 7) if (this.byte() < 0x80) return
    this.fail('number too long')
  }

  /** A vector's length. `limit` is what V8 accepts, so that no count can ask for more memory than that. */
  count(limit: number, what: string): number {
    const count = this.u32()
    if (count > limit) this.fail(`${count} ${what}: at most ${limit} are possible`)
    return count
  }

  name(): string {
    const { start, end } = this.#take(this.u32())
    return decoder.decode(this.#bytes.subarray(start, end))
  }

  /** The next `size` bytes as a reader of their own, behind which this one goes on. */
  section(size: number): WasmReader {
    const { start, end } = this.#take(size)
    return new WasmReader(this.#bytes, start, end)
  }

  #take(size: number): { readonly start: number; readonly end: number } {
    const start = this.#at
    const end = start + size
    if (end > this.#end) this.fail(`${size} bytes announced, ${this.#end - start} are there`)
    this.#at = end
    return { start, end }
  }

  #unsigned(bits: number): number {
    let value = 0
    for (let shift = 0; shift < bits; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value >= 2 ** bits) this.fail('number too large')
        return value
      }
    }
    return this.fail('number too long')
  }
}
