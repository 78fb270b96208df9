/**
 * Cuts a text proto into tokens with their places. String literals are unescaped here, into bytes.
 * @see https://protobuf.dev/reference/protobuf/textformat-spec/
 */
import { textToByteString } from '../../proxy-wasm/memory/byte-string.ts'
import type { Place } from './fields.ts'
import { SyntaxProblem } from './node.ts'

export interface Token {
  /** `name` is an identifier or a number, as it is written. */
  readonly kind: 'name' | 'string' | 'sign' | 'end'
  /** Of a string: its bytes. */
  readonly text: string
  readonly at: Place
}

const SPACE_AND_COMMENTS = /(?:\s|#[^\n]*)+/y
const NAME = /-?[A-Za-z0-9_][A-Za-z0-9_.+]*(?:(?<=[eE])-[0-9]+)?/y
const ESCAPE = /\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/sy
const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '?': '?',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

export class Tokens {
  readonly #text: string
  #offset = 0
  #line = 1
  #lineStart = 0
  #next: Token

  constructor(text: string) {
    // a byte order mark is no part of the text
    this.#text = text.replace(/^\uFEFF/, '')
    this.#next = this.#read()
  }

  /** The next token, which stays. */
  get peek(): Token {
    return this.#next
  }

  /** The next token. */
  take(): Token {
    const token = this.#next
    this.#next = this.#read()
    return token
  }

  /** Takes the sign if it is next. */
  takeSign(sign: string): boolean {
    if (this.#next.kind !== 'sign' || this.#next.text !== sign) return false
    this.take()
    return true
  }

  get #at(): Place {
    return { line: this.#line, column: this.#offset - this.#lineStart + 1 }
  }

  #read(): Token {
    this.#match(SPACE_AND_COMMENTS)
    const at = this.#at
    const char = this.#text[this.#offset]
    if (char === undefined) return { kind: 'end', text: '', at }
    if (char === '"' || char === "'") return { kind: 'string', text: this.#string(char), at }
    const name = this.#match(NAME)?.[0]
    if (name !== undefined) return { kind: 'name', text: name, at }
    if (!'{}<>[]:,;/'.includes(char)) {
      throw new SyntaxProblem(at, `${JSON.stringify(char)} makes no sense here`)
    }
    this.#move(1)
    return { kind: 'sign', text: char, at }
  }

  #string(quote: string): string {
    const start = this.#at
    this.#move(1)
    let bytes = ''
    for (;;) {
      const char = this.#text[this.#offset]
      if (char === undefined || char === '\n') {
        throw new SyntaxProblem(start, 'the string does not end on its line')
      }
      if (char === quote) break
      if (char === '\\') bytes += this.#escape()
      else {
        const code = this.#text.codePointAt(this.#offset) ?? 0
        const whole = String.fromCodePoint(code)
        bytes += textToByteString(whole)
        this.#move(whole.length)
      }
    }
    this.#move(1)
    return bytes
  }

  #escape(): string {
    const at = this.#at
    const match = this.#match(ESCAPE)
    const [, octal, hex, short, long, simple = ''] = match ?? []
    if (octal !== undefined || hex !== undefined) {
      const byte = octal === undefined ? Number.parseInt(hex ?? '', 16) : Number.parseInt(octal, 8)
      if (byte > 0xff) throw new SyntaxProblem(at, `\\${octal} is no byte`)
      return String.fromCharCode(byte)
    }
    const unicode = short ?? long
    if (unicode !== undefined) {
      const code = Number.parseInt(unicode, 16)
      if (code > 0x10ffff) throw new SyntaxProblem(at, `${match?.[0]} is no character`)
      return textToByteString(String.fromCodePoint(code))
    }
    const known = SIMPLE[simple]
    if (known === undefined) throw new SyntaxProblem(at, `there is no escape \\${simple}`)
    return known
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#offset
    const match = pattern.exec(this.#text)
    if (match !== null) this.#move(match[0].length)
    return match ?? undefined
  }

  #move(count: number): void {
    const end = this.#offset + count
    for (; this.#offset < end; this.#offset++) {
      if (this.#text[this.#offset] !== '\n') continue
      this.#line++
      this.#lineStart = this.#offset + 1
    }
  }
}
