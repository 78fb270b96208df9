/** One difference as it may be shown: values are hidden as in the decision log, unless somebody asks for them. */
import type { HeaderChange } from '../proxy-wasm/stream/header-changes.ts'
import { MASK } from '../config/secret-names.ts'
import { SHOWN_HEADERS } from '../observe/decision-log.ts'
import type { ShadowDifference } from '../rollout/shadow-comparison.ts'
import type { Played } from './simulation.ts'
import type { RecordedExchange } from './traffic/exchange.ts'

export interface Sample {
  readonly place: string
  /** Method, and path with the names of its query parameters. */
  readonly request: string
  readonly route: string | undefined
  readonly differences: readonly ShadowDifference[]
  /** Status that the client got. */
  readonly stable: number
  readonly candidate: number
  /** What the candidate, or else the stable version, said of a failure. */
  readonly said: readonly string[]
}

/** Of a text that a plugin or a client chose. */
const TEXT_MAX = 300
const HEADERS_MAX = 50
const SAID_MAX = 5
/** Shorter values are in too many words by chance. */
const FOUND_AGAIN = 6

export interface Shown {
  /** Names of headers whose values are asked for. */
  readonly show: ReadonlySet<string>
  /** Names whose values are never shown: the policy says so. */
  readonly mask: ReadonlySet<string>
}

/** @param shown - names in lower case */
export function sampleOf(
  exchange: RecordedExchange,
  played: Played & { readonly kind: 'compared' },
  shown: Shown,
): Sample {
  const { route, differences, stable, candidate } = played
  const { pathname, search } = new URL(exchange.url)
  const failed = [candidate, stable].find(({ said }) => said.length > 0)
  return {
    place: exchange.place,
    request: `${exchange.method} ${maskedPath(pathname + search)}`.slice(0, TEXT_MAX),
    route,
    differences: differences.map((one) => maskedDifference(one, shown)),
    stable: stable.status,
    candidate: candidate.status,
    said: maskedLines(exchange, failed?.said ?? []),
  }
}

/** What a plugin said of a request, without what the client sent. */
export function maskedLines(exchange: RecordedExchange, said: readonly string[]): string[] {
  return said.slice(0, SAID_MAX).map((line) => maskedText(line, exchange))
}

function maskedDifference(difference: ShadowDifference, shown: Shown): ShadowDifference {
  const { headers, ...rest } = difference
  if (headers === undefined) return rest
  const masked = headers.slice(0, HEADERS_MAX).map(({ name, before, after }): HeaderChange => {
    const values = (all: readonly string[] | undefined): string[] | undefined =>
      all?.map((value) => maskedValue(name, value, shown).slice(0, TEXT_MAX))
    return { name, before: values(before), after: values(after) }
  })
  return { ...rest, headers: masked }
}

function maskedValue(name: string, value: string, { show, mask }: Shown): string {
  if (mask.has(name)) return MASK
  if (show.has(name)) return value
  if (name === ':path') return maskedPath(value)
  return SHOWN_HEADERS.includes(name) ? value : MASK
}

function maskedPath(path: string): string {
  return path.replace(/([?&][^=&#]*)=[^&#]*/g, `$1=${MASK}`)
}

/** What a client sent may stand in what a plugin wrote of it. */
function maskedText(text: string, { headers, url }: RecordedExchange): string {
  const values = [...headers.map(([, value]) => value), ...new URL(url).searchParams.values()]
  const parts = values.flatMap((value) => value.split(/[\s,;=]+/).concat(value))
  return parts
    .sort((a, b) => b.length - a.length)
    .filter((part) => part.length >= FOUND_AGAIN)
    .reduce((masked, part) => masked.replaceAll(part, MASK), text)
    .slice(0, TEXT_MAX)
}
