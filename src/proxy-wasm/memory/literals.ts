/**
 * What guests name things by: header names, property paths, keys of shared data. A plugin says the same
 * few over and over, so what its bytes mean is remembered. They are compared with the bytes that stand
 * there now, which costs a tenth of making a string of them.
 */
import type { ByteString } from '../ports.ts'
import type { PropertyPath } from '../stream/property-path.ts'
import { bytesToByteString } from './byte-string.ts'
import { readWords, sameWords } from './words.ts'

/** Longer ones are not remembered, nor longer values with them. */
const MAX_SIZE = 128
/** A power of two, for the mask. */
const SLOTS = 256

/** One name, and what was made of it. */
export class Literal {
  readonly size: number
  /** Its bytes. */
  readonly text: ByteString
  /** Its bytes in lower case: the header of that name. */
  readonly headerName: ByteString
  /** The property of that path, for who asks for properties. */
  path: PropertyPath | undefined
  readonly #words: Int32Array
  #value: ByteString | undefined
  #valueWords: Int32Array | undefined

  /** @param bytes - are within the view from `at` on */
  constructor(view: DataView, at: number, size: number) {
    this.size = size
    this.text = interned(bytesToByteString(new Uint8Array(view.buffer, at, size)))
    this.headerName = interned(this.text.toLowerCase())
    this.#words = readWords(view, at, size)
  }

  /** Whether it is what stands at `at`. */
  isAt(view: DataView, at: number, size: number): boolean {
    return size === this.size && sameWords(view, at, size, this.#words)
  }

  /**
   * The bytes of a value as `writeWords` takes them, if it was this name's value the last time: hosts, methods and
   * content types hardly change from request to request.
   */
  wordsOf(value: ByteString): Int32Array | undefined {
    return value === this.#value ? this.#valueWords : undefined
  }

  /** Remembers a value that stands at `at`; its bytes only when it is the same for the second time. */
  remember(value: ByteString, view: DataView, at: number): void {
    if (value === this.#value) {
      this.#valueWords = readWords(view, at, value.length)
    } else if (value.length <= MAX_SIZE) {
      this.#value = value
      this.#valueWords = undefined
    }
  }
}

/** The names of one vm. */
export class Literals {
  readonly #slots: (Literal | undefined)[] = Array.from({ length: SLOTS }, () => undefined)

  /** @returns what stands at `at`, which must be within the view */
  find(view: DataView, at: number, size: number): Literal {
    if (size === 0 || size > MAX_SIZE) return new Literal(view, at, size)
    // by its bytes and not by its address, since many are put together on the guest's heap
    const first = view.getUint8(at)
    const middle = view.getUint8(at + (size >>> 1))
    const last = view.getUint8(at + size - 1)
    const slot = (size * 7 + first + middle * 3 + last * 5) & (SLOTS - 1)
    const slots = this.#slots
    const found = slots[slot]
    if (found !== undefined && found.isAt(view, at, size)) return found
    // two that meet in one slot, and are asked for by turns, stay
    const second = slots[slot ^ 1]
    if (second !== undefined && second.isAt(view, at, size)) return second
    const made = new Literal(view, at, size)
    slots[slot ^ 1] = found
    slots[slot] = made
    return made
  }
}

/** The same string as the engine keeps property names: two of those are compared by their address. */
function interned(text: ByteString): ByteString {
  return Object.keys({ [text]: 0 })[0] ?? text
}
