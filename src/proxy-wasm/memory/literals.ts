/**
 * What guests say: header names and what they set them to, property paths, keys of shared data. A plugin says the
 * same few over and over, so what its bytes mean is remembered. They are compared with the bytes that stand
 * there now, four at a time, which costs a tenth of making a string of them.
 */
import type { ByteString } from '../ports.ts'
import type { PropertyPath } from '../stream/property-path.ts'
import { bytesToByteString } from './byte-string.ts'

/** Longer ones are not remembered, nor longer values with them. */
export const MAX_SIZE = 128
const SLOT_BITS = 8
/** Knuth's multiplier: its upper bits depend on all bits of what is multiplied. */
const SPREAD = 0x9e37_79b1
const WORD = 4

/** One of them, and what was made of it. */
export class Literal {
  /** Its bytes. */
  readonly text: ByteString
  /** The property of that path, for who asks for properties. */
  path: PropertyPath | undefined
  /**
   * The value it had the last time, and its bytes if it had it twice: hosts, methods and content types hardly
   * change from request to request.
   */
  value: ByteString | undefined
  valueBytes: Uint8Array | undefined
  #key: ByteString | undefined
  #headerName: ByteString | undefined
  readonly #size: number
  /** All words but the last, which `tail` is. */
  readonly #words: Int32Array
  readonly #tail: number

  /** @param bytes - are within the view from `at` on */
  constructor(view: DataView, at: number, size: number, tail: number) {
    this.text = bytesToByteString(new Uint8Array(view.buffer, at, size))
    this.#size = size
    this.#tail = tail
    this.#words = new Int32Array(size === 0 ? 0 : (size - 1) >>> 2)
    for (let i = 0; i < this.#words.length; i++) {
      this.#words[i] = view.getInt32(at + i * WORD, true)
    }
  }

  /** Its bytes, for looking something up. */
  get key(): ByteString {
    return (this.#key ??= interned(this.text))
  }

  /** Its bytes in lower case: the header of that name. */
  get headerName(): ByteString {
    return (this.#headerName ??= interned(this.text.toLowerCase()))
  }

  /** Whether it is what stands at `at`. */
  isAt(view: DataView, at: number, size: number, tail: number): boolean {
    if (size !== this.#size || tail !== this.#tail) return false
    const words = this.#words
    for (let i = 0; i < words.length; i++) {
      if (view.getInt32(at + i * WORD, true) !== words[i]) return false
    }
    return true
  }

  /** Remembers a value; its bytes only when it is the same for the second time. */
  remember(value: ByteString, bytes: Uint8Array): void {
    if (value === this.value) {
      this.valueBytes = bytes.slice()
    } else if (value.length <= MAX_SIZE) {
      this.value = value
      this.valueBytes = undefined
    }
  }
}

/** What one vm says. */
export class Literals {
  readonly #slots: (Literal | undefined)[] = Array.from({ length: 1 << SLOT_BITS }, () => undefined)

  /**
   * @param end - where memory ends
   * @returns what stands at `at`, or undefined out of bounds
   */
  find(view: DataView, end: number, at: number, size: number): Literal | undefined {
    const tailAt = at + ((size - 1) & ~(WORD - 1))
    if (size === 0 || size > MAX_SIZE || tailAt + WORD > end) {
      return at + size > end ? undefined : new Literal(view, at, size, 0)
    }
    // the last bytes, without what follows them in memory
    const tail = view.getInt32(tailAt, true) & (-1 >>> ((-size & 3) << 3))
    // kept by their bytes and not by their address, since many are put together on the guest's heap
    const head = size < WORD ? tail : view.getInt32(at, true)
    const slot = Math.imul(head + ((tail << 5) | size), SPREAD) >>> (32 - SLOT_BITS)
    const found = this.#slots[slot]
    return found !== undefined && found.isAt(view, at, size, tail)
      ? found
      : this.#findElsewhere(slot, view, at, size, tail)
  }

  /** Two that meet in one slot, and are asked for by turns, both stay. */
  #findElsewhere(slot: number, view: DataView, at: number, size: number, tail: number): Literal {
    const slots = this.#slots
    const second = slots[slot ^ 1]
    if (second !== undefined && second.isAt(view, at, size, tail)) return second
    const made = new Literal(view, at, size, tail)
    slots[slot ^ 1] = slots[slot]
    slots[slot] = made
    return made
  }
}

/** The same string as the engine keeps property names: two of those are compared by their address. */
function interned(text: ByteString): ByteString {
  return Object.keys({ [text]: 0 })[0] ?? text
}
