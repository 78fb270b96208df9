/**
 * Callouts in a simulation: none leaves. They get the answers that were recorded with the request, each
 * once and in order, then those that stand for all requests; others fail as if nobody could be reached.
 */
import {
  type ByteString,
  type GrpcCallsPort,
  type GrpcEvent,
  type HttpCall,
  type HttpCallOutcome,
  type HttpCallsPort,
  Status,
} from '../../proxy-wasm/index.ts'
import type { CalloutAnswer } from '../traffic/exchange.ts'

/** Of one request: a guest that calls again whenever a call has ended would never come to an end. */
const CALLS_MAX = 100
const GRPC_UNAVAILABLE = 14

/** The name of the upstream that a plugin may call under a name or alias; undefined: none. */
export type FindUpstream = (plugin: string, upstream: string) => string | undefined

export class CannedCalls {
  /** Since the request began. */
  made = 0
  /** What nobody answered: upstream, method and path without query. */
  readonly blocked: string[] = []
  readonly http: HttpCallsPort
  readonly grpc: GrpcCallsPort
  readonly #always: readonly CalloutAnswer[]
  #own: CalloutAnswer[] = []

  /** @param always - for every request, each as often as it is asked for */
  constructor(find: FindUpstream, always: readonly CalloutAnswer[]) {
    this.#always = always
    this.http = {
      start: (call) => {
        const upstream = find(call.plugin, call.upstream)
        if (upstream === undefined) return Status.BadArgument
        if (++this.made > CALLS_MAX) return Status.InternalFailure
        return { outcome: Promise.resolve(this.#answer(call, upstream)), cancel: () => undefined }
      },
    }
    this.grpc = {
      declares: (plugin, upstream) => find(plugin, upstream) !== undefined,
      start: ({ plugin, upstream, service, method }) => {
        const found = find(plugin, upstream)
        if (found === undefined) return Status.ParseFailure
        if (++this.made > CALLS_MAX) return Status.InternalFailure
        this.blocked.push(`${found} gRPC /${service}/${method}`)
        return { events: unavailable(), cancel: () => undefined }
      },
    }
  }

  /** Another request begins. @param own - answers for it alone */
  begin(own: readonly CalloutAnswer[]): void {
    this.made = 0
    this.blocked.length = 0
    this.#own = [...own]
  }

  #answer({ headers, upstream: alias }: HttpCall, upstream: string): HttpCallOutcome {
    const method = valueOf(headers, ':method') ?? 'GET'
    const path = valueOf(headers, ':path') ?? '/'
    const isFor = (one: CalloutAnswer): boolean =>
      (one.upstream === upstream || one.upstream === alias) &&
      (one.method === undefined || one.method === method) &&
      (one.path === undefined || pathIs(one.path, path))
    const at = this.#own.findIndex(isFor)
    const found = at >= 0 ? this.#own.splice(at, 1)[0] : this.#always.find(isFor)
    if (found === undefined) {
      this.blocked.push(`${upstream} ${method} ${path.split('?', 1)[0]}`)
      return { failure: 'connect' }
    }
    if ('failure' in found.answer) return found.answer
    const { status, headers: lines, body } = found.answer
    const all = [[':status', `${status}`], ...lines, ['content-length', `${body.length}`]]
    return { headers: all.flat(), body: body.slice(), trailers: [] }
  }
}

function pathIs(wanted: string, path: string): boolean {
  return wanted.endsWith('*') ? path.startsWith(wanted.slice(0, -1)) : path === wanted
}

function valueOf(lines: readonly ByteString[], name: string): string | undefined {
  const at = lines.findIndex((line, index) => index % 2 === 0 && line === name)
  return at < 0 ? undefined : lines[at + 1]
}

async function* unavailable(): AsyncGenerator<GrpcEvent, void, void> {
  yield { kind: 'close', status: GRPC_UNAVAILABLE, message: 'no callout leaves a simulation' }
}
