/**
 * What a route does, in words, and what differs between two of one name. Values of headers that a rule
 * sets are not shown: they may be an upstream's keys.
 */
import { carriesSecret, MASK } from '../secret-names.ts'
import type { HeaderEdits, RouteMatch, RouteRule, SnapshotRoute, ValueMatch } from '../snapshot.ts'
import { changedValues, same } from './changed-values.ts'

/** @returns a line for hosts, each condition and the chain */
export function describeRoute(route: SnapshotRoute): readonly string[] {
  const rules = conditions(route).map(({ when, rule }) => `${when} ${whole(rule)}`)
  return [`hosts: ${hosts(route)}`, ...rules, `chain: ${chain(route.plugins)}`]
}

/** @returns a line for each difference */
export function diffRoute(from: SnapshotRoute, to: SnapshotRoute): readonly string[] {
  const details: string[] = []
  if (hosts(from) !== hosts(to)) details.push(`hosts: ${hosts(from)} → ${hosts(to)}`)
  details.push(...changedValues(place(from), place(to)))
  const rules = diffRules(from, to)
  details.push(...rules)
  if (rules.length === 0 && !same(from.rules, to.rules)) details.push('order or names of rules')
  if (!same(from.plugins, to.plugins)) {
    details.push(`chain: ${chain(from.plugins)} → ${chain(to.plugins)}`)
  }
  return details
}

/** Plugins in the order in which they run. */
export function chain(plugins: readonly string[]): string {
  return plugins.length === 0 ? 'no plugins' : plugins.join(', ')
}

function hosts(route: SnapshotRoute): string {
  return route.hostnames.length === 0 ? 'every host' : route.hostnames.join(', ')
}

function place({ gateway, listeners }: SnapshotRoute): object {
  return { gateway, listeners }
}

function diffRules(from: SnapshotRoute, to: SnapshotRoute): readonly string[] {
  const before = new Map(conditions(from).map((one) => [one.key, one]))
  const after = new Map(conditions(to).map((one) => [one.key, one]))
  const gone = [...before.values()].filter(({ key }) => !after.has(key))
  const details = gone.map(({ when, rule }) => `no longer ${when} ${outcome(rule)}`)
  for (const { key, when, rule } of after.values()) {
    const old = before.get(key)?.rule
    if (old === undefined) {
      details.push(`now ${when} ${whole(rule)}`)
      continue
    }
    if (outcome(old) !== outcome(rule)) {
      details.push(`${when} ${outcome(old)} → ${outcome(rule)}`)
    }
    const secret = ([first]: readonly (string | number)[]): boolean => first === 'headers'
    const more = changedValues(settings(old), settings(rule), secret)
    details.push(...more.map((change) => `${when}: ${change}`))
  }
  return details
}

interface Conditional {
  /** With secrets, which tell conditions apart and are not shown. */
  readonly key: string
  readonly when: string
  readonly rule: RouteRule
}

/** Every condition with its rule; one that is there twice is told apart by a number. */
function conditions(route: SnapshotRoute): readonly Conditional[] {
  const seen = new Map<string, number>()
  return route.rules.flatMap((rule) =>
    rule.matches.map((match) => {
      const plain = condition(match, () => false)
      const times = (seen.get(plain) ?? 0) + 1
      seen.set(plain, times)
      const number = times === 1 ? '' : ` (${times})`
      return { key: plain + number, when: condition(match, carriesSecret) + number, rule }
    }),
  )
}

function condition(
  { path, method, headers = [], query = [] }: RouteMatch,
  hidden: (name: string) => boolean,
): string {
  const shown = ({ name, value, type }: ValueMatch): string =>
    ` ${type ? `${type} ` : ''}${hidden(name.toLowerCase()) ? MASK : value}`
  const more = [
    ...headers.map((one) => ` with ${one.name}:${shown(one)}`),
    ...query.map((one) => ` with query ${one.name}=${shown(one)}`),
  ]
  return `${method ?? 'any method'} ${path.type} ${path.value}${more.join('')}`
}

/** Where a request goes. */
function outcome({ redirect, backends }: RouteRule): string {
  if (redirect !== undefined) return `redirects with ${redirect.status}`
  const [only, ...others] = backends
  if (only === undefined) return 'answers 500: no backend'
  if (others.length === 0) return `to ${only.upstream}`
  return `to ${backends.map(({ upstream, weight }) => `${upstream} (${weight})`).join(', ')}`
}

/** Where a request goes, and what else is done with it: nothing of a new rule goes unsaid. */
function whole(rule: RouteRule): string {
  const { backends, mirrors, redirect, requestTimeoutMs, backendTimeoutMs, retry } = rule
  const { hostname, path } = redirect ?? rule.rewrite ?? {}
  const names = [rule, ...backends].flatMap(({ requestHeaders, responseHeaders }) =>
    [requestHeaders, responseHeaders].flatMap(namesOf),
  )
  const more = [
    redirect?.scheme === undefined ? '' : `scheme ${redirect.scheme}`,
    hostname === undefined ? '' : `host ${hostname}`,
    redirect?.port === undefined ? '' : `port ${redirect.port}`,
    path === undefined ? '' : `${path.type === 'full' ? 'path' : 'prefix'} ${path.value || '/'}`,
    names.length === 0 ? '' : `headers ${[...new Set(names)].join(' ')}`,
    ...(mirrors ?? []).map(({ upstream }) => `mirrored to ${upstream}`),
    requestTimeoutMs ? `within ${requestTimeoutMs} ms` : '',
    backendTimeoutMs ? `each attempt within ${backendTimeoutMs} ms` : '',
    retry === undefined ? '' : `retries ${retry.attempts}`,
  ]
  return [outcome(rule), ...more.filter((one) => one !== '')].join(', ')
}

function namesOf(edits: HeaderEdits | undefined): readonly string[] {
  const { set = [], add = [], remove = [] } = edits ?? {}
  return [...[...set, ...add].map(([name]) => name), ...remove]
}

/** Everything else that a rule says, so that its differences have names. */
function settings(rule: RouteRule): object {
  const { name: _name, matches: _matches, backends, requestHeaders, responseHeaders } = rule
  const { requestHeaders: _request, responseHeaders: _response, ...rest } = rule
  const edits = backends.filter((one) => one.requestHeaders ?? one.responseHeaders)
  const headers = {
    request: named(requestHeaders),
    response: named(responseHeaders),
    ...Object.fromEntries(
      edits.map((one) => [
        one.upstream,
        { request: named(one.requestHeaders), response: named(one.responseHeaders) },
      ]),
    ),
  }
  return { ...rest, name: undefined, matches: undefined, backends: undefined, headers }
}

function named(edits: HeaderEdits | undefined): object | undefined {
  if (edits === undefined) return undefined
  const { set = [], add = [], remove = [] } = edits
  const lines = {
    set: Object.fromEntries(set),
    add: Object.fromEntries(add),
    remove: Object.fromEntries(remove.map((name) => [name, ''])),
  }
  return Object.fromEntries(Object.entries(lines).filter(([, one]) => Object.keys(one).length > 0))
}
