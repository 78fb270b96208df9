/**
 * The decision log: one line of JSON for each decision of a plugin that asks for it. Names of headers are
 * always in it; values only of names that say what kind of message it is and never who sent it.
 */
import type { Decided, DecisionsPort, HeaderLines } from '../proxy-wasm/index.ts'
import type { HeaderChange } from '../proxy-wasm/stream/header-changes.ts'
import type { IoContext } from '../proxy-wasm/stream/io-context.ts'
import type { LogOnly } from '../proxy-wasm/vm/plugin-spec.ts'
import type { Counter } from './metric.ts'

/** Names whose values are written; of all others they are `***`. */
export const SHOWN_HEADERS: HeaderLines = [
  ':method',
  ':scheme',
  ':status',
  'allow',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'grpc-status',
  'retry-after',
  'vary',
]
/** Lines of one isolate in a second. */
export const LINES_PER_SECOND = 100
/** Names of headers in one line. */
const HEADERS_MAX = 50
/** Characters of a text that a plugin or a client chose. */
const TEXT_MAX = 300

export interface DecisionLogOptions {
  readonly write: (line: string) => void
  /** The revision that runs. */
  readonly revision: () => number
  /** What a module is called by those who know it, by its sha256. */
  readonly versionOf: (module: string) => string | undefined
  /** Counts lines beyond the bound. */
  readonly dropped: Counter
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number
}

export class DecisionLog implements DecisionsPort {
  readonly #options: DecisionLogOptions
  /** One number for each request: either all its decisions are written, or none. */
  readonly #drawn = new WeakMap<IoContext, number>()
  #second = 0
  #lines = 0

  constructor(options: DecisionLogOptions) {
    this.#options = options
  }

  decided(decided: Decided): void {
    const { plugin, info, request, io } = decided
    const { decisions, module, logOnly, failStrategy } = plugin
    if (decisions === undefined || !this.#isDrawn(io, decisions.sampling)) return
    const { write, revision, versionOf, dropped, now = Date.now } = this.#options
    const time = now()
    const second = Math.floor(time / 1000)
    if (second !== this.#second) this.#lines = 0
    this.#second = second
    if (this.#lines++ >= LINES_PER_SECOND) return dropped.add()
    const { class: decision, status, details, headers, bytes, ms, resumed } = decided
    const fails = decision === 'trap' || decision === 'unavailable'
    write(
      JSON.stringify({
        time: new Date(time).toISOString(),
        decision,
        plugin: plugin.name,
        version: versionOf(module.sha256) ?? module.sha256,
        mode: modeOf(logOnly),
        failStrategy: fails ? failStrategy : undefined,
        revision: revision(),
        route: info.routeName,
        status,
        details: details?.slice(0, TEXT_MAX),
        ...masked(headers, decisions.mask),
        bytes,
        ms,
        resumed,
        requestId: request?.get('x-request-id')?.slice(0, TEXT_MAX),
        traceparent: request?.get('traceparent')?.slice(0, TEXT_MAX),
      }),
    )
  }

  #isDrawn(io: IoContext, percent: number): boolean {
    let drawn = this.#drawn.get(io)
    if (drawn === undefined) {
      drawn = Math.random() * 100
      this.#drawn.set(io, drawn)
    }
    return drawn < percent
  }
}

function modeOf(logOnly: LogOnly | undefined): 'enforce' | 'log-only' | 'shadow' {
  if (logOnly === undefined) return 'enforce'
  return logOnly.callouts === 'replay' ? 'shadow' : 'log-only'
}

type Values = Readonly<Record<string, string | readonly string[] | undefined>>

interface MaskedChanges {
  readonly added: Values | undefined
  readonly changed: Values | undefined
  readonly removed: readonly string[] | undefined
}

function masked(changes: readonly HeaderChange[] = [], mask: readonly string[]): MaskedChanges {
  const some = changes.slice(0, HEADERS_MAX)
  const valuesOf = (those: readonly HeaderChange[]): Values | undefined =>
    those.length === 0
      ? undefined
      : Object.fromEntries(
          those.map(({ name, after = [] }) => {
            const shown = SHOWN_HEADERS.includes(name) && !mask.includes(name)
            const values = after.map((value) => (shown ? value.slice(0, TEXT_MAX) : '***'))
            return [name, values.length === 1 ? values[0] : values] as const
          }),
        )
  const removed = some.filter(({ after }) => after === undefined).map(({ name }) => name)
  return {
    added: valuesOf(some.filter(({ before, after }) => before === undefined && after)),
    changed: valuesOf(some.filter(({ before, after }) => before && after)),
    removed: removed.length === 0 ? undefined : removed,
  }
}
