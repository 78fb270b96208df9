/**
 * What changes between two snapshots, in an operator's words. Says where a plugin's configuration
 * differs, never what stands there: configurations hold keys.
 */
import { canonicalJson } from '../canonical.ts'
import { formatPath } from '../problem.ts'
import type { FieldPath } from '../problem.ts'
import type { Snapshot, SnapshotPlugin, SnapshotRoute, SnapshotUpstream } from '../snapshot.ts'

export interface Change {
  readonly what: 'plugin' | 'route' | 'upstream' | 'gateway'
  readonly name: string
  readonly how: 'added' | 'removed' | 'changed'
  /** A line each; for an addition what it is, for a change what differs. */
  readonly details: readonly string[]
}

/**
 * @param before what runs; undefined when nothing does
 * @returns plugins, then routes, then upstreams, then the gateway's own chain; empty for no change
 */
export function diffSnapshots(before: Snapshot | undefined, after: Snapshot): readonly Change[] {
  return [
    ...diffRecords('plugin', before?.plugins ?? {}, after.plugins, describePlugin, diffPlugin),
    ...diffRecords('route', routesOf(before), routesOf(after), describeRoute, diffRoute),
    ...diffRecords(
      'upstream',
      before?.upstreams ?? {},
      after.upstreams,
      describeUpstream,
      diffUpstream,
    ),
    ...diffGateway(before, after),
  ]
}

function diffRecords<T>(
  what: Change['what'],
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  describe: (one: T) => readonly string[],
  diff: (from: T, to: T) => readonly string[],
): readonly Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names.flatMap((name): readonly Change[] => {
    const from = Object.hasOwn(before, name) ? before[name] : undefined
    const to = Object.hasOwn(after, name) ? after[name] : undefined
    if (to === undefined) return [{ what, name, how: 'removed', details: [] }]
    if (from === undefined) return [{ what, name, how: 'added', details: describe(to) }]
    const details = diff(from, to)
    return details.length === 0 ? [] : [{ what, name, how: 'changed', details }]
  })
}

function moduleOf(plugin: SnapshotPlugin): string {
  const named = [plugin.moduleName, plugin.moduleVersion].filter((part) => part !== undefined)
  return [...named, `(${plugin.module.slice(0, 12)})`].join(' ')
}

function describePlugin(plugin: SnapshotPlugin): readonly string[] {
  return [
    `module ${moduleOf(plugin)}`,
    `phase ${plugin.phase}, priority ${plugin.priority}, ${plugin.failStrategy}`,
  ]
}

function diffPlugin(from: SnapshotPlugin, to: SnapshotPlugin): readonly string[] {
  const details: string[] = []
  if (from.module !== to.module) details.push(`module ${moduleOf(from)} → ${moduleOf(to)}`)
  for (const path of changedPaths(parsed(from.configuration), parsed(to.configuration))) {
    details.push(`configuration: ${path === '' ? 'all of it' : path}`)
  }
  for (const field of ['phase', 'priority', 'failStrategy', 'shareVm'] as const) {
    if (from[field] !== to[field]) details.push(`${field} ${from[field]} → ${to[field]}`)
  }
  if (from.singleton !== to.singleton) {
    details.push(to.singleton ? 'a singleton now' : 'no singleton any more')
  }
  for (const field of ['rootId', 'vmId'] as const) {
    if (from[field] !== to[field]) {
      details.push(`${field} ${JSON.stringify(from[field])} → ${JSON.stringify(to[field])}`)
    }
  }
  const quiet = [
    'env',
    'vmConfiguration',
    'allowedCapabilities',
    'limits',
    'upstreams',
    'allowOnHeadersStopIteration',
  ] as const
  for (const field of quiet) {
    if (same(from[field], to[field])) continue
    details.push(`${field} changed`)
  }
  return details
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson([a]) === canonicalJson([b])
}

function parsed(configuration: string): unknown {
  return configuration === '' ? {} : JSON.parse(configuration)
}

/** The deepest paths at which two JSON values differ. */
function changedPaths(from: unknown, to: unknown, path: FieldPath = []): readonly string[] {
  if (same(from, to)) return []
  const both = isObject(from) && isObject(to) && Array.isArray(from) === Array.isArray(to)
  if (!both) return [formatPath(path)]
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  return keys.flatMap((key) => {
    const part = Array.isArray(to) ? Number(key) : key
    return changedPaths(member(from, key), member(to, key), [...path, part])
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function member(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

function routesOf(snapshot: Snapshot | undefined): Readonly<Record<string, SnapshotRoute>> {
  const routes = snapshot?.routes ?? []
  return Object.fromEntries(routes.map((route) => [`${route.namespace}/${route.name}`, route]))
}

function describeRoute(route: SnapshotRoute): readonly string[] {
  return [`hosts: ${hosts(route)}`, ...rules(route), `chain: ${chain(route.plugins)}`]
}

function diffRoute(from: SnapshotRoute, to: SnapshotRoute): readonly string[] {
  const details: string[] = []
  if (hosts(from) !== hosts(to)) details.push(`hosts: ${hosts(from)} → ${hosts(to)}`)
  const before = rules(from)
  const after = rules(to)
  for (const rule of before) if (!after.includes(rule)) details.push(`no longer ${rule}`)
  for (const rule of after) if (!before.includes(rule)) details.push(`now ${rule}`)
  if (details.length === 0 && !same(from.rules, to.rules)) details.push('order of rules')
  if (!same(from.plugins, to.plugins)) {
    details.push(`chain: ${chain(from.plugins)} → ${chain(to.plugins)}`)
  }
  return details
}

function hosts(route: SnapshotRoute): string {
  return route.hostnames.length === 0 ? 'every host' : route.hostnames.join(', ')
}

function rules(route: SnapshotRoute): readonly string[] {
  return route.rules.flatMap((rule) =>
    rule.matches.map(({ path, method, headers }) => {
      const conditions = (headers ?? []).map((header) => ` with ${header.name}: ${header.value}`)
      const when = `${method ?? 'any method'} ${path.type} ${path.value}${conditions.join('')}`
      return `${when} to ${rule.upstream}`
    }),
  )
}

function chain(plugins: readonly string[]): string {
  return plugins.length === 0 ? 'no plugins' : plugins.join(', ')
}

function describeUpstream(upstream: SnapshotUpstream): readonly string[] {
  return [address(upstream)]
}

function address(upstream: SnapshotUpstream): string {
  return upstream.url ?? `service ${upstream.service ?? ''}`
}

function diffUpstream(from: SnapshotUpstream, to: SnapshotUpstream): readonly string[] {
  const details: string[] = []
  if (address(from) !== address(to)) details.push(`${address(from)} → ${address(to)}`)
  if (!same(from.aliases, to.aliases)) details.push(`aliases: ${to.aliases.join(', ') || 'none'}`)
  if (from.timeoutMs !== to.timeoutMs) {
    details.push(`timeoutMs ${from.timeoutMs} → ${to.timeoutMs}`)
  }
  return details
}

function diffGateway(before: Snapshot | undefined, after: Snapshot): readonly Change[] {
  const from = before?.gatewayPlugins ?? []
  if (same(from, after.gatewayPlugins)) return []
  const details = [`chain without a route: ${chain(from)} → ${chain(after.gatewayPlugins)}`]
  return [{ what: 'gateway', name: 'default', how: 'changed', details }]
}
