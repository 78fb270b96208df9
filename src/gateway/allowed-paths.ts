/** Which paths an upstream may be asked for. */

/**
 * What is read in two ways: encoded slashes and dots, a backslash, dot segments (some servers take a `;`
 * for their end), and control characters and spaces, which Fetch leaves out.
 */
const AMBIGUOUS = /[\0-\x20\\]|%2[ef]|%5c|\/\.{1,2}(?:[/;]|$)/i

export class AllowedPaths {
  readonly #paths: readonly string[]

  /** @param paths - these and what lies below them, element by element */
  constructor(paths: readonly string[]) {
    this.#paths = paths
  }

  /** @param path - as it is about to be sent, with or without query */
  allow(path: string): boolean {
    const mark = path.search(/[?#]/)
    const plain = mark < 0 ? path : path.slice(0, mark)
    if (!plain.startsWith('/') || AMBIGUOUS.test(plain)) return false
    return this.#paths.some((one) => one === '/' || plain === one || plain.startsWith(`${one}/`))
  }
}
