/**
 * Headers as the ABI has them: lines in order, duplicates kept, pseudo-headers among them, names in
 * lower case, names and values as byte strings.
 */
import type { ByteString, HeaderLines } from '../ports.ts'

/** Reads the value of a name that the map has. */
export type ReadValue = (name: ByteString) => ByteString

export class HeaderMap {
  /** A value that was not read yet is undefined. */
  #lines: (ByteString | undefined)[]
  readonly #read: ReadValue | undefined
  /** Names that were edited; undefined for none, `all` when the whole map was set. */
  #edits: ByteString[] | 'all' | undefined

  /**
   * @param lines - flat name, value, …; taken over, not copied; names must be lower-case
   * @param read - where values come from that are undefined in `lines`: each is read when it is asked for
   */
  constructor(lines: (ByteString | undefined)[] = [], read?: ReadValue) {
    this.#lines = lines
    this.#read = read
  }

  /** Number of lines. */
  get size(): number {
    return this.#lines.length / 2
  }

  /** Bytes of all names and values. */
  get byteSize(): number {
    let size = 0
    for (const part of this.lines) size += part.length
    return size
  }

  /** Flat name, value, … in order. Read only; changes with the next edit. */
  get lines(): HeaderLines {
    if (this.#read !== undefined) {
      for (let i = 1; i < this.#lines.length; i += 2) this.#valueAt(i)
    }
    return this.#lines as ByteString[]
  }

  #valueAt(index: number): ByteString {
    const value = this.#lines[index]
    if (value !== undefined) return value
    const found = this.#read?.(this.#lines[index - 1] as ByteString) ?? ''
    this.#lines[index] = found
    return found
  }

  /** Whether anything was changed since the map was made. */
  get edited(): boolean {
    return this.#edits !== undefined
  }

  /** The names of the lines that were added, replaced or removed; `all` when everything was. */
  get edits(): readonly ByteString[] | 'all' | undefined {
    return this.#edits
  }

  #touch(name: ByteString): void {
    // few names are edited: a list is smaller than a set and as fast
    if (this.#edits === undefined) this.#edits = [name]
    else if (this.#edits !== 'all' && !this.#edits.includes(name)) this.#edits.push(name)
  }

  /** @returns the first value of that name */
  get(name: ByteString): ByteString | undefined {
    const lines = this.#lines
    for (let i = 0; i < lines.length; i += 2) if (lines[i] === name) return this.#valueAt(i + 1)
    return undefined
  }

  has(name: ByteString): boolean {
    const lines = this.#lines
    for (let i = 0; i < lines.length; i += 2) if (lines[i] === name) return true
    return false
  }

  /** @returns all values of that name in order */
  getAll(name: ByteString): ByteString[] {
    const values: ByteString[] = []
    const lines = this.#lines
    for (let i = 0; i < lines.length; i += 2) {
      if (lines[i] === name) values.push(this.#valueAt(i + 1))
    }
    return values
  }

  /** Adds a line, whatever is there. */
  add(name: ByteString, value: ByteString): void {
    this.#touch(name)
    this.#lines.push(name, value)
  }

  /** One line of that name: the first keeps its place, the others go; added at the end if there was none. */
  replace(name: ByteString, value: ByteString): void {
    this.#touch(name)
    const lines = this.#lines
    for (let i = 0; i < lines.length; i += 2) {
      if (lines[i] === name) {
        lines[i + 1] = value
        this.#removeFrom(i + 2, name)
        return
      }
    }
    lines.push(name, value)
  }

  /** Removes all lines of that name. */
  remove(name: ByteString): void {
    this.#removeFrom(0, name)
  }

  #removeFrom(start: number, name: ByteString): void {
    const lines = this.#lines
    let kept = start
    for (let i = start; i < lines.length; i += 2) {
      if (lines[i] === name) continue
      if (kept !== i) {
        lines[kept] = lines[i]
        lines[kept + 1] = lines[i + 1]
      }
      kept += 2
    }
    if (kept === lines.length) return
    lines.length = kept
    this.#touch(name)
  }

  /** Replaces everything, pseudo-headers included. @param lines - flat; names are lower-cased here */
  setAll(lines: HeaderLines): void {
    this.#edits = 'all'
    this.#lines = lines.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text))
  }

  /** A map of the same lines. It counts as edited where this one was. */
  clone(): HeaderMap {
    return this.copyTo(new HeaderMap(this.copyLines(), this.#read))
  }

  /** The lines for a copy, unread values left unread. */
  protected copyLines(): (ByteString | undefined)[] {
    return this.#lines.slice()
  }

  /** Hands what is known of edits on to a copy. */
  protected copyTo<T extends HeaderMap>(copy: T): T {
    const edits = this.#edits
    ;(copy as HeaderMap).#edits = edits === undefined || edits === 'all' ? edits : [...edits]
    return copy
  }
}
