/**
 * Events in, effects out. A chain is driven by plain events and writes what comes of them to an effect
 * sink; Request and Response exist only in the adapter (`fetch.ts`). What differs between a gateway, a
 * test runner, a dry run and a log-only run is the sink alone.
 */
import type { HeaderMap } from './header-map.ts'
import type { LocalReply } from './local-reply.ts'

export interface EffectSink {
  /** The request's headers have passed all plugins. */
  requestHeaders(headers: HeaderMap, endOfStream: boolean): void
  /** Body bytes have passed all plugins; theirs to keep. Empty only at the end of the stream. */
  requestData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void
  /** The response's headers have passed all plugins, or a local reply goes out. */
  responseHeaders(headers: HeaderMap, endOfStream: boolean): void
  responseData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void
  /** A plugin or the machine answers, in these words; what becomes of them follows as a response. */
  localReply?(reply: LocalReply): void
  /** The stream ends without a proper end: before response headers as 503, after them as a broken body. */
  reset(details: string): void
  /** A plugin asks for the upstream to be chosen again. */
  clearRouteCache(): void
}

/** The two directions of a stream. */
export type Direction = 'request' | 'response'
