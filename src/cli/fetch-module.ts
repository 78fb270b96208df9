/** Downloads a module for `postern add`. */

/** More than any plugin has; what is larger is no plugin, or one that no edge isolate can hold. */
const MAX_BYTES = 64 * 1024 * 1024
const TIMEOUT_MS = 60_000

/**
 * @param url https:// or http://
 * @throws Error that says what came instead of a module
 */
export async function fetchModule(url: string, fetcher: typeof fetch): Promise<Uint8Array> {
  let response: Response
  try {
    response = await fetcher(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new Error(cause instanceof Error ? cause.message : String(cause), { cause: error })
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel()
    throw new Error(`the server answered ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.length
    if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES / 1024 / 1024} MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
