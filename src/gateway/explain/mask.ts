/**
 * Keeps secrets out of explanations: values of headers that carry them, wherever those values turn up
 * again. What a plugin adds for its upstream is as much a secret as what a client sent.
 */
const HEADERS =
  /^(authorization|proxy-authorization|cookie|set-cookie|cf-access-jwt-assertion)$|token|secret|passw|api-?key|session|signature|credential/

/** Shorter values are in too many words by chance. */
const FOUND_AGAIN = 6

const MASK = '***'

export class Masker {
  readonly #off: boolean
  readonly #names: ReadonlySet<string>
  readonly #seen = new Set<string>()

  /**
   * @param off - shows everything
   * @param names - further headers and query parameters, in lower case
   */
  constructor(off: boolean, names: Iterable<string>) {
    this.#off = off
    this.#names = new Set(names)
  }

  #hides(name: string): boolean {
    return HEADERS.test(name) || this.#names.has(name)
  }

  /** The value of a header as it may be shown; a hidden one is remembered. */
  header(name: string, value: string): string {
    if (this.#off || !this.#hides(name)) return this.text(value)
    for (const part of [value, ...value.split(/[\s,;=]+/)]) {
      if (part.length >= FOUND_AGAIN) this.#seen.add(part)
    }
    // a scheme says what kind of secret it is
    const scheme = /^(Basic|Bearer|Digest) /i.exec(value)?.[0] ?? ''
    return scheme + MASK
  }

  /** A path or URL: values of query parameters that carry secrets are left out. */
  path(path: string): string {
    if (this.#off) return path
    return path.replace(/([?&])([^=&#]+)=([^&#]*)/g, (whole, sign: string, name: string) =>
      this.#hides(name.toLowerCase()) ? `${sign}${name}=${MASK}` : whole,
    )
  }

  /** Any text, without the values that were hidden so far. */
  text(text: string): string {
    let masked = text
    for (const value of this.#seen) masked = masked.replaceAll(value, MASK)
    return masked
  }
}
