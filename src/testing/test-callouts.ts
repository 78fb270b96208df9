/** Callouts of a plugin under test: answered by what the test says for each upstream. */
import type { HttpCall, HttpCallOutcome } from '../proxy-wasm/index.ts'
import { bytesToText, textToBytes } from '../proxy-wasm/memory/byte-string.ts'
import type { CalloutHandler } from './test-ports.ts'
import { type HeadersLike, TestHeaders, toHeaderMap } from './test-headers.ts'

/** A call that the plugin made. */
export interface Callout {
  readonly upstream: string
  readonly method: string
  readonly path: string
  /** Pseudo-headers included. */
  readonly headers: TestHeaders
  readonly body: string
  readonly timeoutMs: number
}

/** What comes back, or how the call fails. */
export type CalloutAnswer =
  | {
      readonly status?: number
      readonly headers?: HeadersLike
      readonly body?: string | Uint8Array<ArrayBuffer>
    }
  | 'timeout'
  | 'connect'
  | 'reset'

/** Answers by upstream; an upstream that is not here is not declared. */
export type Upstreams = Readonly<
  Record<string, CalloutAnswer | ((callout: Callout) => CalloutAnswer | Promise<CalloutAnswer>)>
>

/** @param seen - every call is added to it, those to unknown upstreams as well */
export function answerCallouts(upstreams: Upstreams, seen: Callout[]): CalloutHandler {
  return (call) => {
    const callout = toCallout(call)
    seen.push(callout)
    const answer = Object.hasOwn(upstreams, call.upstream) ? upstreams[call.upstream] : undefined
    if (answer === undefined) return undefined
    // a plugin never gets its answer before its call has returned
    return Promise.resolve().then(async () =>
      toOutcome(typeof answer === 'function' ? await answer(callout) : answer),
    )
  }
}

function toCallout({ upstream, headers, body, timeoutMs }: HttpCall): Callout {
  const read = new TestHeaders(headers)
  return {
    upstream,
    method: read.get(':method') ?? '',
    path: read.get(':path') ?? '',
    headers: read,
    body: bytesToText(body),
    timeoutMs,
  }
}

function toOutcome(answer: CalloutAnswer): HttpCallOutcome {
  if (typeof answer === 'string') return { failure: answer }
  const { status = 200, headers, body = '' } = answer
  return {
    headers: toHeaderMap({ ':status': String(status) }, headers).lines,
    body: typeof body === 'string' ? textToBytes(body) : body,
    trailers: [],
  }
}
