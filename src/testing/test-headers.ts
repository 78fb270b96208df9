/** Headers as tests write and read them: text, names in any case. */
import { HeaderMap } from '../proxy-wasm/index.ts'
import { byteStringToText, textToByteString } from '../proxy-wasm/memory/byte-string.ts'

/** A record (several values for a name as a list), or pairs where the order matters. */
export type HeadersLike =
  | Readonly<Record<string, string | readonly string[]>>
  | readonly (readonly [name: string, value: string])[]

/** Headers that came out of a plugin; read only. */
export class TestHeaders {
  readonly #lines: readonly (readonly [name: string, value: string])[]

  /** @param lines - flat, byte strings */
  constructor(lines: readonly string[]) {
    this.#lines = Array.from({ length: lines.length / 2 }, (_, i) => [
      byteStringToText(lines[2 * i] as string),
      byteStringToText(lines[2 * i + 1] as string),
    ])
  }

  /** All values of that name, joined by `, `; undefined when there is none. */
  get(name: string): string | undefined {
    const values = this.getAll(name)
    return values.length === 0 ? undefined : values.join(', ')
  }

  /** Every line of that name, in order. */
  getAll(name: string): string[] {
    const lower = name.toLowerCase()
    return this.#lines.filter(([other]) => other === lower).map(([, value]) => value)
  }

  has(name: string): boolean {
    return this.getAll(name).length > 0
  }

  /** Every line in order, pseudo-headers included. */
  get lines(): readonly (readonly [name: string, value: string])[] {
    return this.#lines
  }

  /** By name, lines of one name joined. */
  toObject(): Record<string, string> {
    return Object.fromEntries(this.#lines.map(([name]) => [name, this.get(name) ?? '']))
  }
}

/** @param pseudo - comes first, as it is */
export function toHeaderMap(
  pseudo: Readonly<Record<string, string>>,
  headers: HeadersLike = {},
): HeaderMap {
  const lines = Object.entries(pseudo).flat()
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers as object)
  for (const [name, value] of pairs as readonly [string, string | readonly string[]][]) {
    for (const one of typeof value === 'string' ? [value] : value) {
      lines.push(name.toLowerCase(), textToByteString(one))
    }
  }
  return new HeaderMap(lines)
}
