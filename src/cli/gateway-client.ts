/**
 * The admin API of a gateway, from the command line. Whatever goes wrong on the way becomes a
 * CommandError that says what to do; the token is in no message.
 */
import * as v from 'valibot'
import type {
  ApplyRequest,
  ApplyResult,
  PromoteRequest,
  RollbackRequest,
} from '../config/apply/apply-request.ts'
import type { History } from '../config/apply/history.ts'
import type { ModuleCatalog } from '../config/compile/module-catalog.ts'
import { ERROR_CODES } from '../config/error-codes.ts'
import type { ErrorCode } from '../config/error-codes.ts'
import { CommandError } from './command-error.ts'
import { type ExplanationAnswer, explanationSchema } from './explanation-answer.ts'
import { type RolloutsAnswer, rolloutsSchema } from './rollouts-answer.ts'
import { type NodeAnswer, nodeSchema, type RefusalAnswer, refusalSchema } from './node-answer.ts'

/** What a gateway says of what it runs; members this command line does not know are passed on. */
export interface LiveAnswer {
  readonly revision: number
  readonly snapshot?: string | null | undefined
  readonly issuedAt?: string | null | undefined
  /** `none` when it runs nothing. */
  readonly origin: string
  readonly pending?: { readonly revision: number } | null | undefined
  readonly refusals: readonly {
    readonly code: string
    readonly message: string
    readonly at: string
    readonly revision: number
    readonly plugin?: string | undefined
  }[]
}

export interface StatusAnswer extends LiveAnswer {
  /** What the isolate that answered refuses now. */
  readonly refused: readonly RefusalAnswer[]
  /** All nodes by their reports; null when those cannot be had. */
  readonly nodes: readonly NodeAnswer[] | null
  /** The gateway that shows all nodes, when that is another one. */
  readonly hub?: string | null | undefined
  /** The modules that are bound. */
  readonly modules: ModuleCatalog
  readonly plugins: readonly {
    readonly id: string
    readonly module: string
    readonly moduleName?: string | null | undefined
    readonly moduleVersion?: string | null | undefined
    readonly vm: string
    readonly lastError?: string | null | undefined
  }[]
}

const text = v.nullish(v.string())

const live = v.looseObject({
  revision: v.number(),
  snapshot: text,
  issuedAt: text,
  origin: v.optional(v.string(), 'active'),
  pending: v.nullish(v.looseObject({ revision: v.number() })),
  refusals: v.array(
    v.looseObject({
      code: v.string(),
      message: v.string(),
      at: v.string(),
      revision: v.number(),
      plugin: v.optional(v.string()),
    }),
  ),
})

const liveSchema: v.GenericSchema<unknown, LiveAnswer> = live

const statusSchema: v.GenericSchema<unknown, StatusAnswer> = v.looseObject({
  ...live.entries,
  refused: v.optional(v.array(refusalSchema), []),
  nodes: v.optional(v.nullable(v.array(nodeSchema)), null),
  hub: text,
  modules: v.array(
    v.looseObject({
      name: v.string(),
      version: v.string(),
      sha256: v.string(),
      urls: v.optional(v.array(v.string()), []),
    }),
  ),
  plugins: v.array(
    v.looseObject({
      id: v.string(),
      module: v.string(),
      moduleName: text,
      moduleVersion: text,
      vm: v.optional(v.string(), ''),
      lastError: text,
    }),
  ),
})

/** The results of an apply, as far as they are looked at here. */
const resultSchema = v.looseObject({
  result: v.picklist(['applied', 'planned', 'unchanged', 'conflict', 'refused', 'failed']),
})

const historySchema = v.looseObject({
  revision: v.number(),
  revisions: v.array(
    v.looseObject({
      revision: v.number(),
      snapshot: v.string(),
      by: v.string(),
      why: v.string(),
      at: v.string(),
      changes: v.optional(
        v.array(
          v.looseObject({
            what: v.string(),
            name: v.string(),
            how: v.picklist(['added', 'removed', 'changed']),
            details: v.array(v.string()),
          }),
        ),
      ),
      changed: v.optional(v.number()),
      rollbackTo: v.optional(v.number()),
      expiresAt: v.optional(v.string()),
      signature: v.optional(v.looseObject({ keyId: v.string() })),
    }),
  ),
})

const previewSchema = v.looseObject({ token: v.string(), until: v.number() })

const errorSchema = v.looseObject({
  error: v.looseObject({ code: v.string(), message: v.string() }),
})

/** Preflight starts every changed plugin, so an apply may take its time. */
const TIMEOUT_MS = 60_000

export class GatewayClient {
  readonly #url: URL
  readonly #token: string
  readonly #fetch: typeof fetch

  /** @param url the gateway; a path in it is put before `/-/` */
  constructor(url: URL, token: string, fetcher: typeof fetch) {
    this.#url = url
    this.#token = token
    this.#fetch = fetcher
  }

  /** The gateway, for messages. */
  get name(): string {
    return this.#url.href.replace(/\/$/, '')
  }

  async status(): Promise<StatusAnswer> {
    return this.#read(statusSchema, await this.#ask('GET', 'status'))
  }

  /** Has the gateway read its store now. */
  async refresh(): Promise<LiveAnswer> {
    return this.#read(liveSchema, await this.#ask('POST', 'refresh'))
  }

  /** Asks what becomes of a request. */
  async explain(request: object): Promise<ExplanationAnswer> {
    const { status, body } = await this.#send('POST', 'explain', request)
    if (status !== 200) throw this.#failure(status, body)
    return this.#read(explanationSchema, body)
  }

  /** Sends a change. A conflict, a refusal and a failure are results, not errors. */
  apply(request: ApplyRequest): Promise<ApplyResult> {
    return this.#change('apply', request)
  }

  /** Asks for an old snapshot. A conflict, a refusal and a failure are results, not errors. */
  rollback(request: RollbackRequest): Promise<ApplyResult> {
    return this.#change('rollback', request)
  }

  /** Asks for a candidate to become its plugin. A conflict, a refusal and a failure are results, not errors. */
  promote(request: PromoteRequest): Promise<ApplyResult> {
    return this.#change('rollouts/promote', request)
  }

  /** The revisions there have been. */
  async history(): Promise<History> {
    const body = await this.#ask('GET', 'history')
    // Sound: what is read of a record was checked; the rest of it is only shown.
    return this.#read(historySchema, body) as unknown as History
  }

  /** What runs of rollouts, and what has become of them. */
  async rollouts(): Promise<RolloutsAnswer> {
    return this.#read(rolloutsSchema, await this.#ask('GET', 'rollouts'))
  }

  /** Has something done to a rollout. @returns what runs then */
  async rollout(request: object): Promise<RolloutsAnswer> {
    return this.#rolloutsAfter('rollouts', request)
  }

  /** Keeps a plugin's candidate off, or no longer. @returns what runs then */
  async killCandidate(request: object): Promise<RolloutsAnswer> {
    return this.#rolloutsAfter('rollouts/kill', request)
  }

  /** Asks for a preview token. @returns it, and when it is over: milliseconds since the Unix epoch */
  async preview(request: object): Promise<{ readonly token: string; readonly until: number }> {
    const { status, body } = await this.#send('POST', 'rollouts/preview', request)
    if (status !== 200) throw this.#failure(status, body)
    return this.#read(previewSchema, body)
  }

  async #rolloutsAfter(path: string, request: object): Promise<RolloutsAnswer> {
    const { status, body } = await this.#send('POST', path, request)
    if (status !== 200) throw this.#failure(status, body)
    return this.#read(rolloutsSchema, body)
  }

  async #change(path: string, request: object): Promise<ApplyResult> {
    const { status, body } = await this.#send('POST', path, request)
    const parsed = v.safeParse(resultSchema, body)
    // Sound: the gateway's results have the type; one that does not say so fails where it is read.
    if (parsed.success) return parsed.output as unknown as ApplyResult
    throw this.#failure(status, body)
  }

  async #ask(method: string, path: string): Promise<unknown> {
    const { status, body } = await this.#send(method, path)
    if (status !== 200) throw this.#failure(status, body)
    return body
  }

  async #send(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const url = `${this.name}/-/${path}`
    const headers = new Headers({ authorization: `Bearer ${this.#token}` })
    if (body !== undefined) headers.set('content-type', 'application/json')
    try {
      const response = await this.#fetch(url, {
        method,
        headers,
        // A redirect would carry the token elsewhere.
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const answer: unknown = await response.json().catch(() => undefined)
      return { status: response.status, body: answer }
    } catch (error) {
      throw new CommandError('gateway.unreachable', `${this.name} did not answer: ${reason(error)}`)
    }
  }

  #read<T>(schema: v.GenericSchema<unknown, T>, body: unknown): T {
    const parsed = v.safeParse(schema, body)
    if (parsed.success) return parsed.output
    const where = v.getDotPath(parsed.issues[0]) ?? 'the answer'
    throw new CommandError('gateway.bad_answer', `${this.name} answered without ${where}`)
  }

  #failure(status: number, body: unknown): CommandError {
    const parsed = v.safeParse(errorSchema, body)
    if (!parsed.success) {
      return new CommandError(
        'gateway.bad_answer',
        `${this.name} answered ${status}, not as a gateway`,
      )
    }
    const { code, message } = parsed.output.error
    const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'gateway.bad_answer'
    return new CommandError(known, `${this.name} answered ${status}: ${message}`)
  }
}

/** `fetch failed` says nothing; its cause does. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}
