/**
 * What a plugin decided about a stream: it answered, it could not run, or, log-only, what it would have
 * done. Told to the decisions port for plugins that ask for it.
 */
import type { PluginSpec } from '../vm/plugin-spec.ts'
import type { StreamInfo } from './attributes.ts'
import type { Filter } from './filter.ts'
import { type HeaderChange, headerChanges } from './header-changes.ts'
import type { HeaderMap } from './header-map.ts'
import type { IoContext } from './io-context.ts'
import type { LocalReply } from './local-reply.ts'

/**
 * `fail-open` and `fail-close` are of plugins that enforce; all but `local-reply` of the others are of
 * log-only ones. `unavailable`: it could not run when the stream began; `unseen`: a body that it was not shown;
 * `shadow` and `log-only`: what another version of a plugin, that runs behind it or beside it, did otherwise.
 */
export type DecisionClass =
  | 'local-reply'
  | 'fail-open'
  | 'fail-close'
  | 'request-headers'
  | 'response-headers'
  | 'request-body'
  | 'response-body'
  | 'paused'
  | 'reset'
  | 'clear-route-cache'
  | 'trap'
  | 'unavailable'
  | 'unseen'
  | 'shadow'
  | 'log-only'

export interface Decision {
  readonly class: DecisionClass
  /** Of a local reply. */
  readonly status?: number | undefined
  /** Why, in the plugin's or the machine's words. */
  readonly details?: string | undefined
  /** What became, or would have become, of header lines; of a local reply, those it has. */
  readonly headers?: readonly HeaderChange[] | undefined
  /** Of a body: as it came, and as it would have gone on. */
  readonly bytes?: { readonly before: number; readonly after: number }
  /** Milliseconds that the stream would have been held, so far where nothing let it go. */
  readonly ms?: number
  readonly resumed?: boolean
}

/** Whose decision it was, and about which stream. */
export interface Decided extends Decision {
  readonly plugin: PluginSpec
  readonly info: StreamInfo
  /** The request's headers as the plugin sees them. */
  readonly request: HeaderMap | undefined
  /** One and the same object for all decisions about one request. */
  readonly io: IoContext
}

/** A local reply, as a decision. */
export function replyDecision({ status, details, headers, body }: LocalReply): Decision {
  return {
    class: 'local-reply',
    status,
    details,
    headers: headerChanges([], headers),
    bytes: { before: 0, after: body.length },
  }
}

/**
 * A plugin that cannot go on, as a decision.
 * @param reason - where it is not that its vm has failed
 */
export function failDecision(
  { spec, plugin, root }: Filter,
  open: boolean,
  reason: string | undefined,
): Decision {
  const failure = root?.vm.failure
  const details = reason ?? (failure ?? plugin.lastError)?.message
  if (spec.logOnly === undefined) return { class: open ? 'fail-open' : 'fail-close', details }
  return { class: failure === undefined ? 'unavailable' : 'trap', details }
}
