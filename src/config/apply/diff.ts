/**
 * What changes between two snapshots, in an operator's words: old → new. Of a plugin's configuration
 * and environment it says where they differ, never what stands there: they hold keys.
 */
import type { Snapshot, SnapshotGateway, SnapshotPlugin, SnapshotUpstream } from '../snapshot.ts'
import { describeMove } from '../describe-move.ts'
import type { SnapshotRollout } from '../snapshot-rollout.ts'
import { changedValues, same } from './changed-values.ts'
import { chain, describeRoute, diffRoute } from './route-changes.ts'

export interface Change {
  readonly what: 'plugin' | 'rollout' | 'route' | 'upstream' | 'gateway'
  readonly name: string
  readonly how: 'added' | 'removed' | 'changed'
  /** A line each; for an addition what it is, for a change what differs. */
  readonly details: readonly string[]
}

type Named<T> = Readonly<Record<string, T>>

/**
 * @param before what runs; undefined when nothing does
 * @returns plugins, then rollouts, then routes, then upstreams, then gateways; empty for no change
 */
export function diffSnapshots(before: Snapshot | undefined, after: Snapshot): readonly Change[] {
  const routes = [routesOf(before), routesOf(after)] as const
  const upstreams = [before?.upstreams ?? {}, after.upstreams] as const
  const gateways = [gatewaysOf(before), gatewaysOf(after)] as const
  return [
    ...diffRecords('plugin', before?.plugins ?? {}, after.plugins, describePlugin, diffPlugin),
    ...diffRecords('rollout', rolloutsOf(before), rolloutsOf(after), describeRollout, diffRollout),
    ...diffRecords('route', ...routes, describeRoute, diffRoute),
    ...diffRecords('upstream', ...upstreams, (one) => [address(one)], diffUpstream),
    ...diffRecords('gateway', ...gateways, describeGateway, diffGateway),
  ]
}

function diffRecords<T>(
  what: Change['what'],
  before: Named<T>,
  after: Named<T>,
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

function rolloutsOf(snapshot: Snapshot | undefined): Named<SnapshotRollout> {
  return Object.fromEntries((snapshot?.rollouts ?? []).map((one) => [one.id, one]))
}

function describeRollout({ plugin, candidate, mode, steps }: SnapshotRollout): readonly string[] {
  const weights = steps.map((step) => describeMove({ mode, ...step })).join(', ')
  return [`of plugin ${plugin} to module ${moduleOf(candidate)}`, `steps ${weights}`]
}

function diffRollout(from: SnapshotRollout, to: SnapshotRollout): readonly string[] {
  const of = ({ candidate, ...fields }: SnapshotRollout): object => ({
    ...fields,
    module: candidate.module,
    configuration: parsed(candidate.configuration),
  })
  return changedValues(of(from), of(to), ([field]) => SECRET.has(field))
}

function moduleOf(plugin: Pick<SnapshotPlugin, 'module' | 'moduleName' | 'moduleVersion'>): string {
  const named = [plugin.moduleName, plugin.moduleVersion].filter((part) => part !== undefined)
  return [...named, `(${plugin.module.slice(0, 12)})`].join(' ')
}

function describePlugin(plugin: SnapshotPlugin): readonly string[] {
  const { phase, priority, failStrategy, mode } = plugin
  const place = `phase ${phase}, priority ${priority}, ${failStrategy}${mode ? `, ${mode}` : ''}`
  return [`module ${moduleOf(plugin)}`, place]
}

/** What is said in words of its own, or is no difference to anybody who asks. */
const OWN_WORDS: ReadonlySet<string> = new Set<keyof SnapshotPlugin>([
  'id',
  'name',
  'namespace',
  'module',
  'moduleName',
  'moduleVersion',
  'singleton',
  'lastGood',
])

const SECRET: ReadonlySet<unknown> = new Set(['configuration', 'env', 'vmConfiguration'])

function diffPlugin(from: SnapshotPlugin, to: SnapshotPlugin): readonly string[] {
  const module = from.module === to.module ? [] : [`module ${moduleOf(from)} → ${moduleOf(to)}`]
  const details = changedValues(fieldsOf(from), fieldsOf(to), ([field]) => SECRET.has(field))
  if (from.singleton === to.singleton) return [...module, ...details]
  return [...module, ...details, to.singleton ? 'a singleton now' : 'no singleton any more']
}

function fieldsOf(plugin: SnapshotPlugin): object {
  const fields = Object.entries(plugin).filter(([field]) => !OWN_WORDS.has(field))
  return {
    ...Object.fromEntries(fields),
    configuration: parsed(plugin.configuration),
    vmConfiguration: parsed(plugin.vmConfiguration),
    // a variable without a value is the node's, so its name says it all
    env: Object.fromEntries(plugin.env.map(([name, value = true]) => [name, value])),
  }
}

/** Absent where it is empty; text that is no JSON is one value. */
function parsed(configuration: string): unknown {
  if (configuration === '') return {}
  try {
    return JSON.parse(configuration)
  } catch {
    return configuration
  }
}

function routesOf(snapshot: Snapshot | undefined): Named<Snapshot['routes'][number]> {
  const routes = snapshot?.routes ?? []
  const times = new Map<string, number>()
  for (const { namespace, name } of routes) {
    times.set(`${namespace}/${name}`, (times.get(`${namespace}/${name}`) ?? 0) + 1)
  }
  return Object.fromEntries(
    routes.map((route) => {
      const name = `${route.namespace}/${route.name}`
      // at several Gateways it is several routes
      return [times.get(name) === 1 ? name : `${name} at ${route.gateway}`, route]
    }),
  )
}

function address(upstream: SnapshotUpstream): string {
  return upstream.url ?? `service ${upstream.service ?? ''}`
}

function diffUpstream(from: SnapshotUpstream, to: SnapshotUpstream): readonly string[] {
  const details = address(from) === address(to) ? [] : [`${address(from)} → ${address(to)}`]
  if (!same(from.aliases, to.aliases)) details.push(`aliases: ${to.aliases.join(', ') || 'none'}`)
  const { url: _url, service: _service, aliases: _aliases, ...before } = from
  const { url: _to, service: _bound, aliases: _names, ...after } = to
  return [...details, ...changedValues(before, after)]
}

const DEFAULT = 'default/default'

/** The default Gateway is there whether anybody declares it or not, so it is changed and never added. */
function gatewaysOf(snapshot: Snapshot | undefined): Named<SnapshotGateway> {
  const named = (snapshot?.gateways ?? []).map(
    (one) => [`${one.namespace}/${one.name}`, one] as const,
  )
  const { [DEFAULT]: own, ...others } = Object.fromEntries(named)
  const plugins = snapshot?.gatewayPlugins ?? []
  const implied = { name: 'default', namespace: 'default', listeners: [], plugins }
  return { ...others, default: own ?? implied }
}

function describeGateway(gateway: SnapshotGateway): readonly string[] {
  return [
    ...gateway.listeners.map((one) => `listener ${listener(one)}`),
    `chain without a route: ${chain(gateway.plugins)}`,
  ]
}

function diffGateway(from: SnapshotGateway, to: SnapshotGateway): readonly string[] {
  const before = from.listeners.map(listener)
  const after = to.listeners.map(listener)
  const declared = before.length > 0
  const details = [
    ...before.filter((one) => !after.includes(one)).map((one) => `no longer listener ${one}`),
    ...after.filter((one) => declared && !before.includes(one)).map((one) => `now listener ${one}`),
  ]
  if (same(from.plugins, to.plugins)) return details
  return [...details, `chain without a route: ${chain(from.plugins)} → ${chain(to.plugins)}`]
}

function listener({
  name,
  hostname,
  port,
  protocol,
}: SnapshotGateway['listeners'][number]): string {
  const where = port === undefined ? '' : ` ${protocol ?? ''} ${port}`
  return `${name}${where} for ${hostname ?? 'every host'}`
}
