/**
 * A request that is routed as the gateway routes it, and goes no further: what its chain sends on is kept,
 * and the recorded answer comes back in the upstream's place.
 */
import { RoutedRequest } from '../../gateway/routed-request.ts'
import { emptyReply, type LocalReply, type OutboundRequest } from '../../proxy-wasm/index.ts'
import type { VerdictMessage } from '../../proxy-wasm/stream/verdict.ts'
import type { RecordedAnswer } from '../traffic/exchange.ts'

/** Statuses of answers that have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

export class SimulatedRequest extends RoutedRequest {
  /** As the chain sent it on; undefined where it did not. */
  sent: VerdictMessage | undefined
  #answer: RecordedAnswer | undefined

  /** Sets what it is answered with. Called before it runs. */
  answeredWith(answer: RecordedAnswer): this {
    this.#answer = answer
    return this
  }

  override async forward(outbound: OutboundRequest): Promise<Response | LocalReply> {
    const headers = [...outbound.headerMap.lines]
    let body: Uint8Array
    try {
      body = new Uint8Array(await new Response(outbound.body as BodyInit).arrayBuffer())
    } catch {
      // a plugin broke it off, and answers
      return emptyReply(502, 'request_body_broken')
    }
    this.sent = { headers, body }
    return super.forward(outbound)
  }

  override send(
    ...[method, path, headers, , abort, authority]: Parameters<RoutedRequest['send']>
  ): Promise<Response | LocalReply> {
    // a redirect, or no upstream at all: what the gateway says itself
    if (this.upstream === undefined || this.#answer === undefined) {
      return super.send(method, path, headers, null, abort, authority)
    }
    const { status, headers: lines, body } = this.#answer
    const isBodiless = BODILESS.has(status) || method === 'HEAD'
    const answer = new Response(isBodiless ? null : body, { status })
    // an array of headers would lose the second Set-Cookie in some runtimes
    for (const [name, value] of lines) answer.headers.append(name, value)
    return Promise.resolve(answer)
  }
}
