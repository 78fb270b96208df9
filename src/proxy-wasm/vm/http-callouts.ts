/**
 * HTTP callouts of a vm. Failures look as in Envoy: what its HTTP client answers itself (no connection,
 * timeout) arrives as a reply with `:status` 503 or 504; an exchange that broke off arrives without headers.
 */
import { BufferType, LogLevel, MapType, Status } from '../abi/enums.ts'
import { CALLOUT_MAX_MS } from '../limits.ts'
import { textToBytes } from '../memory/byte-string.ts'
import type { HeaderLines, HttpCall, HttpCallOutcome } from '../ports.ts'
import { runIn, runningIo } from '../stream/io-context.ts'
import { CalloutKind } from './callouts.ts'
import type { Context } from './context.ts'
import type { RootContext } from './root-context.ts'
import type { Vm } from './vm.ts'

interface HttpReply {
  readonly headers: HeaderLines
  readonly body: Uint8Array<ArrayBuffer>
  readonly trailers: HeaderLines
}

const BROKEN_CONNECTION = 11

/** @returns the token, or the status to answer */
export function startHttpCall(
  vm: Vm,
  context: Context,
  call: HttpCall,
): { readonly token: number } | { readonly status: Status } {
  const warn = (why: string): void => vm.logHost(LogLevel.Warn, `proxy_http_call${why}`)
  const names = new Set(call.headers.filter((_, i) => i % 2 === 0))
  const hasAuthority = names.has(':authority') || names.has('host')
  if (!names.has(':method') || !names.has(':path') || !hasAuthority) {
    warn(' needs :method, :path and :authority')
    return { status: Status.BadArgument }
  }
  const refused = context.refuseCallout()
  if (refused !== undefined) {
    warn(`: ${refused}`)
    return { status: Status.InternalFailure }
  }
  const started = vm.ports.httpCalls.start(call)
  const io = runningIo()
  io.calls?.http(call, started)
  if (typeof started === 'number') {
    if (started === Status.BadArgument) {
      warn(`: no upstream "${call.upstream}" is declared for this plugin`)
    }
    return { status: started }
  }
  const deliver = (outcome: HttpCallOutcome): void => {
    const root = vm.callouts.end(token)
    if (root !== undefined) answer(vm, root, token, outcome)
  }
  const token = vm.callouts.add(CalloutKind.Http, {
    root: context.root,
    timeoutMs: Math.min(call.timeoutMs || CALLOUT_MAX_MS, CALLOUT_MAX_MS),
    cancel: () => started.cancel(),
    fail: (failure) => deliver({ failure }),
  })
  const finish = (outcome: HttpCallOutcome): void => runIn(io, () => deliver(outcome))
  // a port that rejects all the same must not leave a guest waiting
  io.waitUntil(started.outcome.then(finish, () => finish({ failure: 'reset' })))
  return { token }
}

function answer(vm: Vm, root: RootContext, token: number, outcome: HttpCallOutcome): void {
  const reply = toReply(outcome)
  const callback = vm.callbacks.httpCallResponse
  if (reply === undefined) {
    vm.callouts.withStatus(BROKEN_CONNECTION, 'reset', () =>
      root.deliver(undefined, callback, token, 0, 0, 0),
    )
    return
  }
  const { headers, body, trailers } = reply
  const view = {
    maps: {
      [MapType.HttpCallResponseHeaders]: headers,
      [MapType.HttpCallResponseTrailers]: trailers,
    },
    buffer: { type: BufferType.HttpCallResponseBody, bytes: body },
  }
  root.deliver(view, callback, token, headers.length / 2, body.length, trailers.length / 2)
}

function toReply(outcome: HttpCallOutcome): HttpReply | undefined {
  if (!('failure' in outcome)) return outcome
  if (outcome.failure === 'connect') {
    return textReply(503, 'upstream connect error or disconnect/reset before headers')
  }
  if (outcome.failure === 'timeout') return textReply(504, 'upstream request timeout')
  return undefined
}

function textReply(status: number, text: string): HttpReply {
  const body = textToBytes(text)
  return {
    headers: [
      ':status',
      String(status),
      'content-length',
      String(body.length),
      'content-type',
      'text/plain',
    ],
    body,
    trailers: [],
  }
}
