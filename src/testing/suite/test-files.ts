/** The files a test names, which only the caller can read: this library runs anywhere. */

/**
 * Reads a file that a test names.
 * @throws TestFileError when it cannot
 */
export type ReadFile = (path: string) => Promise<Uint8Array<ArrayBuffer>>

/** A test names a file that cannot be read; the message says which and why. */
export class TestFileError extends Error {
  override readonly name = 'TestFileError'
}
