/**
 * What a rule does that is more than sending a request to one upstream: filters, several backends,
 * retries, timeouts, mirrors. Made once for a snapshot; rules that do none of it have no such object.
 */
import type { HeaderEdits, Mirror, RouteRule } from '../config/snapshot.ts'
import type { LocalReply } from '../proxy-wasm/index.ts'
import { emptyReply } from '../proxy-wasm/stream/local-reply.ts'
import {
  Attempts,
  type Choice,
  type RuleRequest,
  type RuleSetting,
  type SentRequest,
} from './attempts.ts'
import { editedAnswer } from './edited-response.ts'
import { errorReply } from './errors.ts'
import { editHeaders } from './header-edits.ts'
import { editPath } from './path-edit.ts'
import { redirectReply } from './redirect.ts'
import { isReplayable, replayable } from './replayable.ts'
import type { Upstream } from './upstream.ts'
import type { UpstreamTable } from './upstream-table.ts'
import { pickWeighted } from './weighted.ts'

export class RuleActions {
  readonly #rule: RouteRule
  readonly #choices: readonly Choice[]
  readonly #mirrors: readonly (Mirror & { readonly to: Upstream })[]

  private constructor(rule: RouteRule, upstreams: UpstreamTable) {
    this.#rule = rule
    const hostname = rule.rewrite?.hostname
    this.#choices = rule.backends.flatMap((backend): Choice[] => {
      const { upstream: name, weight } = backend
      const upstream =
        hostname === undefined ? upstreams.get(name) : upstreams.getAs(name, hostname)
      return upstream === undefined || weight === 0 ? [] : [{ upstream, weight, backend }]
    })
    this.#mirrors = (rule.mirrors ?? []).flatMap((mirror) => {
      const to = upstreams.get(mirror.upstream)
      return to === undefined ? [] : [Object.assign({ to }, mirror)]
    })
  }

  /** @returns undefined for a rule that sends its requests to one upstream, and nothing else */
  static of(rule: RouteRule, upstreams: UpstreamTable): RuleActions | undefined {
    const [backend, second] = rule.backends
    const { matches: _, name: __, backends: ___, ...more } = rule
    const plain =
      backend !== undefined &&
      second === undefined &&
      backend.weight > 0 &&
      backend.requestHeaders === undefined &&
      backend.responseHeaders === undefined &&
      Object.keys(more).length === 0 &&
      upstreams.get(backend.upstream)?.retry === undefined
    return plain ? undefined : new RuleActions(rule, upstreams)
  }

  /**
   * The backend of a request, by weight. One that is left alone is taken only when all are.
   * @param tried - not taken again while there is another
   * @returns undefined when the rule has none
   */
  pick(tried: ReadonlySet<Choice> = NONE): Choice | undefined {
    const choices = this.#choices
    if (choices.length < 2) return choices[0]
    const well = choices.filter((choice) => !choice.upstream.ejected && !tried.has(choice))
    return pickWeighted(well.length === 0 ? choices : well, Math.random())
  }

  /**
   * Answers a request: redirects it, or sends it on.
   * @param choice - what `pick` said
   * @param outbound - as it left the chain
   */
  async send(
    choice: Choice | undefined,
    outbound: RuleRequest,
    setting: RuleSetting,
  ): Promise<Response | LocalReply> {
    const rule = this.#rule
    if (rule.redirect !== undefined) {
      const { scheme, authority, prefix } = setting
      const asked = { scheme, authority, path: outbound.path }
      return this.#answered(redirectReply(rule.redirect, asked, prefix), undefined)
    }
    if (choice === undefined) return this.#answered(errorReply('route.no_backend'), undefined)
    const headers = new Headers(outbound.headers)
    if (rule.requestHeaders !== undefined) editHeaders(headers, rule.requestHeaders)
    const { rewrite } = rule
    if (rewrite?.hostname !== undefined) headers.set('x-forwarded-host', rewrite.hostname)
    const path = rewrite?.path
      ? editPath(rewrite.path, outbound.path, setting.prefix)
      : outbound.path
    let { body } = outbound
    const retry = rule.retry ?? choice.upstream.retry
    if (retry !== undefined || this.#mirrors.length > 0) {
      try {
        body = await replayable(body, headers.get('content-length'))
      } catch {
        return emptyReply(400, 'request_body_broken')
      }
    }
    const request = { method: outbound.method, path, headers, body }
    if (this.#mirrors.length > 0) this.#mirror(request, setting)
    const attempts = new Attempts((tried) => this.pick(tried), rule, request, setting)
    const { answer, by } = await attempts.run(choice, isReplayable(body) ? retry : undefined)
    return this.#answered(answer, by)
  }

  #answered(answer: Response | LocalReply, by: Choice | undefined): Response | LocalReply {
    const edits: HeaderEdits[] = []
    if (this.#rule.responseHeaders !== undefined) edits.push(this.#rule.responseHeaders)
    if (by?.backend.responseHeaders !== undefined) edits.push(by.backend.responseHeaders)
    return editedAnswer(answer, edits)
  }

  /** Sends copies; what comes of them nobody hears. A body that cannot be sent twice is left out. */
  #mirror({ method, path, headers, body }: SentRequest, setting: RuleSetting): void {
    if (headers.has('upgrade')) return
    for (const { to, numerator, denominator } of this.#mirrors) {
      if (Math.random() * denominator >= numerator) continue
      const copy = new Headers(headers)
      if (!isReplayable(body)) copy.delete('content-length')
      const init = { method, headers: copy, body: isReplayable(body) ? body : null }
      setting.waitUntil(sendCopy(to, path, init))
    }
  }
}

/** What comes of it is only counted. */
async function sendCopy(to: Upstream, path: string, init: RequestInit): Promise<void> {
  const abort = new AbortController()
  const answer = await to.forward(
    path,
    { ...init, redirect: 'manual', signal: abort.signal },
    abort,
  )
  if (answer instanceof Response) await answer.body?.cancel().catch(() => undefined)
}

const NONE: ReadonlySet<Choice> = new Set()
