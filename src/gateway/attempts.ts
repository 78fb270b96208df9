/**
 * One request of a rule, sent until it is answered well or may not be sent again, within the rule's time.
 */
import type { Backend, RetryPolicy, RouteRule } from '../config/snapshot.ts'
import type { LocalReply, OutboundRequest } from '../proxy-wasm/index.ts'
import { errorReply } from './errors.ts'
import { editHeaders } from './header-edits.ts'
import type { Upstream } from './upstream.ts'

export type RuleRequest = Pick<OutboundRequest, 'method' | 'path' | 'headers' | 'body'>

/** What else a rule looks at. */
export interface RuleSetting {
  /** As the client asked for them. */
  readonly scheme: string
  readonly authority: string
  /** What of the path the PathPrefix matched that led here. */
  readonly prefix: string
  /** Aborted when nobody wants the answer any more. */
  readonly abort: AbortController | undefined
  waitUntil(promise: Promise<unknown>): void
  /** Told before a request is sent again. @param count - how often it was sent then */
  retried(count: number, upstream: Upstream): void
}

/** One of the rule's backends. */
export interface Choice {
  readonly upstream: Upstream
  readonly weight: number
  readonly backend: Backend
}

export interface SentRequest {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body: RuleRequest['body']
}

/** Another of the rule's backends. */
type PickAnother = (tried: ReadonlySet<Choice>) => Choice | undefined

/** Waits no longer between two attempts. */
const MAX_BACKOFF_MS = 10_000

export interface Outcome {
  readonly answer: Response | LocalReply
  /** Who gave it. */
  readonly by: Choice
}

export class Attempts {
  readonly #pick: PickAnother
  readonly #rule: RouteRule
  readonly #request: SentRequest
  readonly #outer: AbortController | undefined
  readonly #setting: RuleSetting
  #current: AbortController | undefined
  #over = false

  constructor(pick: PickAnother, rule: RouteRule, request: SentRequest, setting: RuleSetting) {
    this.#pick = pick
    this.#rule = rule
    this.#request = request
    this.#outer = setting.abort
    this.#setting = setting
    setting.abort?.signal.addEventListener('abort', () => this.#giveUp())
  }

  async run(first: Choice, retry: RetryPolicy | undefined): Promise<Outcome> {
    const { requestTimeoutMs = 0 } = this.#rule
    if (requestTimeoutMs === 0) return this.#attempts(first, retry)
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => {
        resolve({ answer: errorReply('upstream.timeout'), by: first })
        // a response that has begun breaks off
        this.#giveUp()
      }, requestTimeoutMs)
    })
    const outcome = await Promise.race([this.#attempts(first, retry), late])
    const { answer } = outcome
    // a connection that changed protocols has no end, a reply of our own no upstream
    if (answer instanceof Response && answer.status !== 101 && answer.body !== null) {
      return { answer: this.#timed(answer, answer.body, timer), by: outcome.by }
    }
    if (timer !== undefined) clearTimeout(timer)
    return outcome
  }

  /**
   * The time is for the body as well. It goes through our hands: the platform forgets the timers of a
   * request whose response it can finish by itself.
   */
  #timed(
    answer: Response,
    body: ReadableStream<Uint8Array>,
    timer: ReturnType<typeof setTimeout> | undefined,
  ): Response {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const stop = (): void => {
      if (timer !== undefined) clearTimeout(timer)
    }
    const signal = this.#current?.signal
    this.#setting.waitUntil(body.pipeTo(writable, signal && { signal }).then(stop, stop))
    return new Response(readable, answer)
  }

  #giveUp(): void {
    this.#over = true
    this.#current?.abort()
  }

  async #attempts(first: Choice, retry: RetryPolicy | undefined): Promise<Outcome> {
    const tried = new Set<Choice>()
    let choice = first
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.#attempt(choice)
      const again = retry !== undefined && attempt < retry.attempts && isRetried(answer, retry)
      if (!again || this.#over) return { answer, by: choice }
      const wait = Math.min(MAX_BACKOFF_MS, retry.backoffMs * 2 ** attempt)
      if (answer instanceof Response) await answer.body?.cancel().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, wait))
      if (this.#over) return { answer: errorReply('upstream.timeout'), by: choice }
      tried.add(choice)
      choice = this.#pick(tried) ?? choice
      choice.upstream.meter.retried()
      this.#setting.retried(attempt + 2, choice.upstream)
    }
  }

  #attempt({ upstream, backend }: Choice): Promise<Response | LocalReply> {
    const { method, path, body } = this.#request
    let { headers } = this.#request
    if (backend.requestHeaders !== undefined) {
      headers = new Headers(headers)
      editHeaders(headers, backend.requestHeaders)
    }
    const abort = new AbortController()
    this.#current = abort
    if (this.#outer?.signal.aborted) abort.abort()
    const init = { method, headers, body, redirect: 'manual', signal: abort.signal } as const
    return upstream.forward(path, init, abort, this.#rule.backendTimeoutMs)
  }
}

/** By status, or because nothing came back. */
function isRetried(answer: Response | LocalReply, { codes }: RetryPolicy): boolean {
  if (answer instanceof Response) return codes.includes(answer.status)
  return answer.details === 'upstream.unreachable' || answer.details === 'upstream.timeout'
}
