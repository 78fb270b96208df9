/** Bodies that can be sent more than once: none at all, bytes, and small streams once they are read. */

type Body = ReadableStream | Uint8Array<ArrayBuffer> | null

/** The longest body that is read before it is sent, where it may have to be sent again. */
export const REPLAY_BYTES: number = 256 * 1024

/**
 * @param length - the content-length that came with it, if any
 * @returns the body, or what it is when read; a stream stays one when it is long, or nobody knows how long
 * @throws what reading throws
 */
export async function replayable(body: Body, length: string | null): Promise<Body> {
  if (body === null || body instanceof Uint8Array) return body
  if (length === null || !/^\d+$/.test(length) || Number(length) > REPLAY_BYTES) return body
  return new Uint8Array(await new Response(body).arrayBuffer())
}

/** Whether it can be sent again as it is. */
export function isReplayable(body: Body): body is Uint8Array<ArrayBuffer> | null {
  return body === null || body instanceof Uint8Array
}
