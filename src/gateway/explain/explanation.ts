/** What is asked of an explanation, and what it says. Plain JSON, with secrets masked. */
import type { RouteRule } from '../../config/snapshot.ts'
import type { Step } from './watch.ts'

export interface ExplainRequest {
  /** Absolute: its host is the one that routes are matched by. */
  readonly url: string
  readonly method: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string | undefined
  /** A revision that is still in the store; absent: what runs. */
  readonly at?: number | undefined
  /** Runs the chain in a sandbox as well. */
  readonly run: boolean
  /** Of a run: requests and callouts really leave. */
  readonly upstream: boolean
  readonly showSecrets: boolean
}

/** A match of a route, and why it was not the one. */
export interface CandidateView {
  /** `namespace/name`. */
  readonly route: string
  readonly gateway: string
  readonly listener: string
  /** `*`: every host. */
  readonly hostname: string
  /** Counted from 0 within its route. */
  readonly rule: number
  /** `PathPrefix /shop, method POST`. */
  readonly match: string
  /** The first condition that does not hold; absent for the match that won. */
  readonly failed: string | undefined
}

export interface ChainView {
  readonly plugin: string
  readonly module: string
  readonly sha256: string
  readonly phase: string
  readonly priority: number
  readonly failStrategy: string
  readonly mode: 'enforce' | 'log-only'
  /** `idle`: its first request will start it; `last-good`: the version before runs in its place. */
  readonly state: string
  readonly lastError: string | null
}

export interface PreviewsView {
  /** Those that are good, one for each rollout. */
  readonly good: readonly {
    readonly rollout: string
    readonly side: 'stable' | 'candidate'
    /** When it is over, as ISO 8601 has it. */
    readonly until: string
  }[]
  /** How many are over, were changed, or are of another secret: they do nothing. */
  readonly ignored: number
}

export interface SkippedView {
  readonly plugin: string
  readonly why: string
}

export interface BackendView {
  readonly upstream: string
  readonly to: string
  readonly weight: number
  /** Of the rule's requests. */
  readonly percent: number
  /** This isolate leaves it alone for a while, as it has failed. */
  readonly ejected: true | undefined
}

/** Something the run would have sent, or did. */
export interface AskedView {
  readonly who: 'gateway' | 'plugin'
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Absent: it did not leave, as `upstream` was not asked for. */
  readonly answered: number | 'failed' | undefined
}

export interface RunView {
  readonly steps: readonly Step[]
  /** Lines that were logged outside of any callback, while a plugin started. */
  readonly logs: readonly {
    readonly plugin: string
    readonly level: number
    readonly message: string
  }[]
  readonly asked: readonly AskedView[]
  readonly response: {
    readonly status: number
    readonly headers: readonly (readonly [name: string, value: string])[]
    readonly bytes: number
    /** The beginning of a body that is text. */
    readonly text: string
  }
}

export interface Explanation {
  readonly revision: number
  readonly snapshot: string | null
  readonly request: { readonly method: string; readonly url: string }
  /** Whose request it is, `namespace/name`; null: no listener has its host. */
  readonly gateway: string | null
  readonly route: {
    readonly name: string
    readonly rule: number
    readonly hostname: string
    readonly match: string
  } | null
  /** In order of precedence; those of the request's own hosts first. */
  readonly candidates: readonly CandidateView[]
  /** How many candidates are not listed. */
  readonly more: number
  /** What the request's preview tokens do; absent where it has none, or the gateway reads none. */
  readonly previews: PreviewsView | undefined
  readonly chain: readonly ChainView[]
  readonly skipped: readonly SkippedView[]
  readonly backends: readonly BackendView[]
  /** What else the rule says, as the snapshot has it: filters, timeouts, retries. */
  readonly filters: Omit<RouteRule, 'matches' | 'backends'>
  readonly run: RunView | undefined
}

/** Why there is no explanation. */
export interface NoExplanation {
  readonly code: 'config.none' | 'explain.revision_unknown' | 'config.request_invalid'
  readonly message: string
}
