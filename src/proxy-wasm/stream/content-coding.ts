/** Content codings of a response body that a plugin is to read: what is left to undo, and how. */
import type { HeaderMap } from './header-map.ts'

/**
 * Takes the coding's header away when its bytes can be shown plain.
 * @param decoded - codings that reading the body undoes by itself
 * @returns what is left to undo; `unknown` when nobody can, and the headers are as they were
 */
export function stripCoding(
  headers: HeaderMap,
  decoded: ReadonlySet<string>,
): 'none' | 'deflate' | 'unknown' {
  const coding = headers.get('content-encoding')?.trim().toLowerCase()
  if (coding === undefined || coding === '' || coding === 'identity') return 'none'
  if (!decoded.has(coding) && coding !== 'deflate') return 'unknown'
  headers.remove('content-encoding')
  headers.remove('content-length')
  return decoded.has(coding) ? 'none' : 'deflate'
}

/** Undoes `deflate`, which no runtime undoes by itself. */
export function inflate(body: ReadableStream): ReadableStream {
  return body.pipeThrough(new DecompressionStream('deflate'))
}
