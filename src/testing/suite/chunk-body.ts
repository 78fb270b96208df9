/** Cuts a body as a test's chunking plan says. */
import type { SuiteTest } from '../format/read-suite.ts'

/** @returns the pieces in order, one at least; without a plan the body as it is */
export function chunkBody(
  body: Uint8Array<ArrayBuffer>,
  { num_chunks: count, chunk_size: size }: Pick<SuiteTest, 'num_chunks' | 'chunk_size'>,
): Uint8Array<ArrayBuffer>[] {
  const step = size ?? Math.ceil(body.length / (count ?? 1))
  if (body.length === 0) return [body]
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for (let at = 0; at < body.length; at += step) pieces.push(body.slice(at, at + step))
  return pieces
}
