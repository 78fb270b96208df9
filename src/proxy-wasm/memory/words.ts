/**
 * Short runs of bytes, four at a time: a `TypedArray.set` costs more than the bytes of a header, a loop
 * over single bytes twice as much as one over words. The last word reaches back over the one before it,
 * so that no byte behind the run is touched; runs of less than a word are kept byte by byte.
 */

const WORD = 4

/** @returns what `writeWords` and `sameWords` take; the run must be within the view */
export function readWords(view: DataView, at: number, size: number): Int32Array {
  if (size < WORD) {
    const bytes = new Int32Array(size)
    for (let i = 0; i < size; i++) bytes[i] = view.getUint8(at + i)
    return bytes
  }
  const words = new Int32Array((size + WORD - 1) >>> 2)
  const last = words.length - 1
  for (let i = 0; i < last; i++) words[i] = view.getInt32(at + i * WORD, true)
  words[last] = view.getInt32(at + size - WORD, true)
  return words
}

/** Writes a run of `size` bytes that `readWords` has read. */
export function writeWords(view: DataView, at: number, size: number, words: Int32Array): void {
  if (size < WORD) {
    for (let i = 0; i < size; i++) view.setUint8(at + i, words[i] as number)
    return
  }
  const last = words.length - 1
  for (let i = 0; i < last; i++) view.setInt32(at + i * WORD, words[i] as number, true)
  view.setInt32(at + size - WORD, words[last] as number, true)
}

/** @returns whether the `size` bytes at `at` are those that `readWords` has read */
export function sameWords(view: DataView, at: number, size: number, words: Int32Array): boolean {
  if (size < WORD) {
    for (let i = 0; i < size; i++) if (view.getUint8(at + i) !== words[i]) return false
    return true
  }
  const last = words.length - 1
  for (let i = 0; i < last; i++) if (view.getInt32(at + i * WORD, true) !== words[i]) return false
  return view.getInt32(at + size - WORD, true) === words[last]
}
