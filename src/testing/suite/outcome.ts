/** What one phase of a test came to: what the plugin let out, or that it answered. */
import { bytesToByteString, textToByteString } from '../../proxy-wasm/memory/byte-string.ts'
import {
  type Direction,
  emptyReply,
  HeaderMap,
  type LocalReply,
  type LogEntry,
} from '../../proxy-wasm/index.ts'
import type { TestStream } from '../plugin-under-test.ts'

export interface Outcome {
  /** As they are after the phase, held back or not; those of the answer, as it was given, when there is one. */
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
    // in the format nothing runs behind an answer: what response callbacks make of it is not shown
    const headers = new HeaderMap([':status', String(reply.status)])
    for (let i = 0; i < reply.headers.length; i += 2) {
      headers.add((reply.headers[i] as string).toLowerCase(), reply.headers[i + 1] as string)
    }
    return { headers, body: bytesToByteString(reply.body), reply, log: lines }
  }
  const headers = direction === 'request' ? chain.requestHeaders : chain.responseHeaders
  const body = bytesToByteString(sink[direction].take())
  return { headers, body, reply, log: lines }
}
