/** Everything in which two observations of one scenario differ, each with a place that it is known by. */
import type { HeaderPairs } from '../support/exchange.ts'
import type { Observed, Received, Reply } from './play.ts'
import { hostOf, type Numbered } from './scenario.ts'
import { ASIDE, sorted } from './steady.ts'
import { type Callback, type Line, traceOf } from './trace.ts'

export interface Difference {
  /** `reply 1.header x-a`, `upstream 1.body`, `p1.request_headers.get_header(x-user)`, … */
  readonly at: string
  readonly envoy: string
  readonly postern: string
}

type Report = (at: string, envoy: unknown, postern: unknown) => void

export function compare(scenario: Numbered, envoy: Observed, postern: Observed): Difference[] {
  const differences: Difference[] = []
  const report: Report = (at, one, other) => {
    const [a, b] = [shown(one), shown(other)]
    if (a !== b) differences.push({ at, envoy: a, postern: b })
  }
  report('start', envoy.refused ? 'refused' : 'ok', postern.refused ? 'refused' : 'ok')
  report('process', envoy.crashed ? 'crashed' : 'runs', postern.crashed ? 'crashed' : 'runs')
  if (envoy.crashed) return differences
  const { headerOrder = false } = scenario
  each(envoy.replies, postern.replies, 'reply', report, (a, b, at, tell) =>
    compareReplies(a, b, at, tell, headerOrder),
  )
  each(envoy.received, postern.received, 'upstream', report, (a, b, at, tell) =>
    compareReceived(a, b, at, tell, scenario),
  )
  compareTraces(traceOf(scenario, envoy.log), traceOf(scenario, postern.log), report)
  compareTexts(envoy, postern, report)
  return differences
}

function each<T>(
  envoy: readonly T[],
  postern: readonly T[],
  what: string,
  report: Report,
  one: (a: T, b: T, at: string, report: Report) => void,
): void {
  report(`${what} count`, envoy.length, postern.length)
  for (const [i, a] of envoy.entries()) {
    const b = postern[i]
    if (b !== undefined) one(a, b, `${what} ${i + 1}`, report)
  }
}

function compareReplies(a: Reply, b: Reply, at: string, report: Report, lines: boolean): void {
  report(`${at}.status`, a.status, b.status)
  compareHeaders(a.headers, b.headers, at, report, lines, [a.body, b.body])
  report(`${at}.body`, a.body, b.body)
  report(`${at}.trailers`, a.trailers, b.trailers)
  report(`${at}.end`, a.end, b.end)
}

function compareReceived(
  a: Received,
  b: Received,
  at: string,
  report: Report,
  scenario: Numbered,
): void {
  report(`${at}.method`, a.method, b.method)
  report(`${at}.target`, a.target, b.target)
  // Fetch sends the upstream's own host: what `:authority` was travels beside it
  const host = valuesOf(a.headers, 'host').join()
  report(
    `${at}.authority`,
    host,
    valuesOf(b.headers, 'x-forwarded-host').join() || hostOf(scenario),
  )
  const lines = scenario.headerOrder === true
  compareHeaders(a.headers, b.headers, at, report, lines, [a.body, b.body])
  report(`${at}.body`, a.body, b.body)
}

/** @param lines - compare a header's lines, not only what they are joined */
function compareHeaders(
  a: HeaderPairs,
  b: HeaderPairs,
  at: string,
  report: Report,
  lines: boolean,
  bodies: readonly [string, string],
): void {
  const names = new Set([...a, ...b].map(([name]) => name.toLowerCase()))
  for (const name of [...names].sort()) {
    if (ASIDE.test(name)) continue
    const values = (headers: HeaderPairs): unknown => {
      const found = valuesOf(headers, name)
      return lines || name === 'set-cookie' || found.length === 0 ? found : joined(name, found)
    }
    // how a body is framed is the server's choice; what it says of it is not
    if (name === 'content-length' && framed(a, b, bodies)) continue
    report(`${at}.header ${name}`, values(a), values(b))
  }
}

/** As RFC 9110 §5.3 joins lines, and RFC 9113 §8.2.3 those of `cookie`. */
function joined(name: string, values: readonly string[]): string {
  return name === 'cookie' ? values.join('; ').replaceAll(', ', '; ') : values.join(', ')
}

/** One side tells the length of its body, rightly, and the other sends chunks. */
function framed(a: HeaderPairs, b: HeaderPairs, [one, other]: readonly [string, string]): boolean {
  const [c] = valuesOf(a, 'content-length')
  const [d] = valuesOf(b, 'content-length')
  if (c !== undefined && d !== undefined) return false
  return c === undefined ? d === String(other.length) : c === String(one.length)
}

function valuesOf(headers: HeaderPairs, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
}

function compareTraces(
  envoy: readonly Callback[],
  postern: readonly Callback[],
  report: Report,
): void {
  const [a, b] = [keyed(envoy), keyed(postern)]
  for (const [key, { callback }] of a) {
    if (!b.has(key)) report(callback.what, `called (${key})`, 'not called')
  }
  for (const [key, { callback }] of b) {
    if (!a.has(key)) report(callback.what, 'not called', `called (${key})`)
  }
  // roots end when everything ends, in no order; a body comes when the wire brings it, which other
  // things that come by themselves may overtake
  const aside = [...a.keys()].some((key) => /\.(?:http_call_response|queue_ready|tick) /.test(key))
    ? /\.(?:done|delete) root|_body /
    : /\.(?:done|delete) root/
  const common = (own: typeof a, other: typeof a): string[] =>
    [...own.keys()].filter((key) => other.has(key) && !aside.test(key))
  report('order', ...withoutEqualEnds(common(a, b), common(b, a)))
  for (const [key, { callback }] of a) {
    const other = b.get(key)?.callback
    if (other !== undefined) compareCallbacks(callback, other, report)
  }
}

/** What two orders differ in: neither what they begin with nor what they end with. */
function withoutEqualEnds(a: readonly string[], b: readonly string[]): [string, string] {
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const middle = (all: readonly string[]): string => all.slice(start, all.length - end).join('\n')
  return [middle(a), middle(b)]
}

/** By plugin, name and context, and which time it was there. */
function keyed(trace: readonly Callback[]): Map<string, { readonly callback: Callback }> {
  const result = new Map<string, { readonly callback: Callback }>()
  const counts = new Map<string, number>()
  for (const callback of trace) {
    const name = `${callback.what} ${callback.context}`
    const nth = (counts.get(name) ?? 0) + 1
    counts.set(name, nth)
    result.set(`${name} #${nth}`, { callback })
  }
  return result
}

function compareCallbacks(a: Callback, b: Callback, report: Report): void {
  report(`${a.what}.arguments`, a.line, b.line)
  const calls = (callback: Callback): string => callback.calls.map(({ what }) => what).join('\n')
  report(`${a.what}.calls`, calls(a), calls(b))
  for (const [i, call] of a.calls.entries()) {
    const other = b.calls[i]
    if (other?.what === call.what)
      report(`${a.what}.${call.what}`, result(call.line), result(other.line))
  }
}

function result({ context: _context, call: _call, ...rest }: Line): Line {
  return rest
}

/** What others than probes log, and what probes say outside of their lines. */
function compareTexts(envoy: Observed, postern: Observed, report: Report): void {
  const texts = ({ log }: Observed, plugin: string): string[] =>
    log.flatMap((entry) =>
      entry.plugin === plugin && /^(?:text: |stdout|stderr)/.test(entry.message)
        ? [entry.message]
        : [],
    )
  const plugins = new Set([...envoy.log, ...postern.log].map(({ plugin }) => plugin))
  for (const plugin of sorted([...plugins])) {
    report(`${plugin}.text`, texts(envoy, plugin), texts(postern, plugin))
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
