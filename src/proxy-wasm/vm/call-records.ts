/**
 * What the callouts of one request came to, for a shadow run that must not make them again. Nothing is
 * recorded where no plugin of the request has a shadow.
 */
import type { Status } from '../abi/enums.ts'
import { SHADOW_BODY_BYTES } from '../limits.ts'
import {
  type GrpcCall,
  type GrpcEvent,
  type HttpCall,
  type HttpCallOutcome,
  type PendingGrpcCall,
  type PendingHttpCall,
} from '../ports.ts'

type HttpAnswer = Promise<HttpCallOutcome> | Status
type GrpcAnswer = readonly GrpcEvent[] | Status

interface Recorded<Call, Answer> {
  readonly call: Call
  readonly answer: Answer
}

export class CallRecords {
  readonly #http: Recorded<HttpCall, HttpAnswer>[] = []
  readonly #grpc: Recorded<GrpcCall, GrpcAnswer>[] = []
  #bytes = 0

  /** Whether more has come back than is kept: what was recorded is not all then. */
  get overflowed(): boolean {
    return this.#bytes > SHADOW_BODY_BYTES
  }

  /** An HTTP call was started, or refused. */
  http(call: HttpCall, started: PendingHttpCall | Status): void {
    if (this.overflowed) return
    const answer = typeof started === 'number' ? started : started.outcome
    this.#http.push({ call, answer })
    if (typeof answer === 'number') return
    const measure = (outcome: HttpCallOutcome): void => {
      if ('body' in outcome) this.#grow(outcome.body.length)
    }
    // who started the call hears of a port that rejects
    answer.then(measure, () => undefined)
  }

  /** A gRPC call was started, or refused. @returns the same, to be used in its place */
  grpc(call: GrpcCall, started: PendingGrpcCall | Status): PendingGrpcCall | Status {
    if (this.overflowed) return started
    if (typeof started === 'number') {
      this.#grpc.push({ call, answer: started })
      return started
    }
    const answer: GrpcEvent[] = []
    this.#grpc.push({ call, answer })
    return { events: this.#kept(started, answer), cancel: () => started.cancel() }
  }

  async *#kept({ events }: PendingGrpcCall, into: GrpcEvent[]): AsyncGenerator<GrpcEvent> {
    for await (const event of events) {
      if (event.kind === 'message') this.#grow(event.message.length)
      if (!this.overflowed) into.push(event)
      yield event
    }
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    if (!this.overflowed) return
    this.#http.length = 0
    this.#grpc.length = 0
  }

  /** The answers, each to be given once and in the order in which the calls were made. */
  replay(): CallReplay {
    return new CallReplay(this.#http, this.#grpc)
  }
}

export class CallReplay {
  readonly #http: Recorded<HttpCall, HttpAnswer>[]
  readonly #grpc: Recorded<GrpcCall, GrpcAnswer>[]

  constructor(
    http: readonly Recorded<HttpCall, HttpAnswer>[],
    grpc: readonly Recorded<GrpcCall, GrpcAnswer>[],
  ) {
    this.#http = [...http]
    this.#grpc = [...grpc]
  }

  /** @returns what the next call like this one came to; undefined where there was none */
  http(call: HttpCall): HttpAnswer | undefined {
    return take(
      this.#http,
      (other) =>
        ofTheSame(other, call) &&
        valueOf(other, ':method') === valueOf(call, ':method') &&
        valueOf(other, ':path') === valueOf(call, ':path') &&
        sameBytes(other.body, call.body),
    )
  }

  /** As `http`. */
  grpc(call: GrpcCall): GrpcAnswer | undefined {
    return take(
      this.#grpc,
      (other) =>
        ofTheSame(other, call) &&
        other.service === call.service &&
        other.method === call.method &&
        sameBytes(other.message, call.message),
    )
  }
}

function take<Call, Answer>(
  recorded: Recorded<Call, Answer>[],
  isLike: (call: Call) => boolean,
): Answer | undefined {
  const at = recorded.findIndex(({ call }) => isLike(call))
  return at < 0 ? undefined : recorded.splice(at, 1)[0]?.answer
}

interface Addressed {
  readonly plugin: string
  readonly upstream: string
}

function ofTheSame(one: Addressed, other: Addressed): boolean {
  return one.plugin === other.plugin && one.upstream === other.upstream
}

function valueOf({ headers }: HttpCall, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1]
  return undefined
}

function sameBytes(one: Uint8Array = new Uint8Array(0), other = new Uint8Array(0)): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}
