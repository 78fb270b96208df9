/**
 * Keeps secrets out of explanations: values of headers that carry them, wherever those values turn up
 * again. What a plugin adds for its upstream is as much a secret as what a client sent.
 */
import { carriesSecret, MASK } from '../../config/secret-names.ts'

const SCHEME = /^(Basic|Bearer|Digest) /i
/** Members that are lists of header lines. */
const LINES: ReadonlySet<string> = new Set(['headers', 'set', 'add'])
/** Shorter values are in too many words by chance. */
const FOUND_AGAIN = 6

export class Masker {
  readonly #names: ReadonlySet<string>
  readonly #seen = new Set<string>()

  /** @param names - further headers and query parameters, in lower case */
  constructor(names: Iterable<string>) {
    this.#names = new Set(names)
  }

  /** A copy of plain JSON without secrets. What was hidden once is hidden wherever it is found. */
  apply<T>(value: T): T {
    this.#json(value, '')
    // sound: only texts are others, and they stay texts
    return this.#json(value, '') as T
  }

  #json(value: unknown, key: string): unknown {
    if (typeof value === 'string') return key === 'url' ? this.#url(value) : this.#text(value)
    if (Array.isArray(value)) {
      return LINES.has(key)
        ? value.map(([name, text]: [string, string]) => [name, this.header(name, text)])
        : value.map((one) => this.#json(one, key))
    }
    if (typeof value !== 'object' || value === null) return value
    const { name } = value as { readonly name?: unknown }
    return Object.fromEntries(
      Object.entries(value).map(([member, one]) => {
        const isChange = (member === 'before' || member === 'after') && Array.isArray(one)
        const masked = isChange
          ? (one as string[]).map((text) => this.header(name as string, text))
          : this.#json(one, member)
        return [member, masked]
      }),
    )
  }

  /** The value of a header as it may be shown; a hidden one is remembered. */
  header(name: string, value: string): string {
    if (name === ':path') return this.#url(value)
    if (!this.#hides(name)) return this.#text(value)
    // a scheme says what kind of secret it is
    const scheme = SCHEME.exec(value)?.[0] ?? ''
    const secret = value.slice(scheme.length)
    for (const part of [value, secret, ...secret.split(/[\s,;=]+/)]) {
      if (part.length >= FOUND_AGAIN) this.#seen.add(part)
    }
    return scheme + MASK
  }

  #hides(name: string): boolean {
    return carriesSecret(name) || this.#names.has(name)
  }

  #url(url: string): string {
    return url.replace(/([?&])([^=&#]+)=([^&#]*)/g, (whole, sign: string, name: string) =>
      this.#hides(name.toLowerCase()) ? `${sign}${name}=${MASK}` : whole,
    )
  }

  #text(text: string): string {
    let masked = text
    for (const value of this.#seen) masked = masked.replaceAll(value, MASK)
    return masked
  }
}
