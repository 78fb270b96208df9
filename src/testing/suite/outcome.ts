/** What one phase of a test came to: what the plugin let out, or that it answered. */
import { bytesToByteString, textToByteString } from '../../proxy-wasm/memory/byte-string.ts'
import type { Direction, HeaderMap, LocalReply, LogEntry } from '../../proxy-wasm/index.ts'
import { emptyReply } from '../../proxy-wasm/index.ts'
import type { TestStream } from '../plugin-under-test.ts'

export interface Outcome {
  /** As they are after the phase, held back or not; those of the answer when there is one. */
  readonly headers: HeaderMap | undefined
  /** What left in this phase; the answer's when there is one. A byte string. */
  readonly body: string
  /** The plugin's, or the machine's, answer in place of going on. */
  readonly reply: LocalReply | undefined
  /** Lines logged meanwhile, as byte strings. */
  readonly log: readonly string[]
}

/** @returns what a phase of `direction` has come to now */
export function outcomeOf(
  { chain, sink }: TestStream,
  direction: Direction,
  log: readonly LogEntry[],
): Outcome {
  const lines = log.map(({ message }) => textToByteString(message))
  // a gateway answers a stream that breaks off before there is a response
  const broken =
    sink.broken !== undefined && sink.response.headers === undefined
      ? emptyReply(503, sink.broken)
      : undefined
  const reply = sink.reply ?? broken
  if (reply !== undefined) {
    const headers = sink.response.headers ?? chain.responseHeaders
    return { headers, body: bytesToByteString(sink.response.body), reply, log: lines }
  }
  const headers = direction === 'request' ? chain.requestHeaders : chain.responseHeaders
  const body = bytesToByteString(sink[direction].take())
  return { headers, body, reply, log: lines }
}
