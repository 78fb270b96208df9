/**
 * What a plugin asks of where it runs and what the compilation cannot know: the labels of the node,
 * the port of a request, variables of the node. They go into the snapshot, and the node looks.
 */
import type { DeclaredPlugin } from './declared-plugin.ts'
import type { Report } from './report.ts'
import type { EnvEntry } from '../snapshot.ts'

export interface NodeFacts {
  /** The labels of the node that compiles; absent where nobody knows them. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** The variables that plugins may be given; absent where nobody knows them. */
  readonly hostEnv?: readonly string[] | undefined
  /** Whether it can give out sticky keys; absent where nobody knows. */
  readonly issuesKeys?: boolean | undefined
}

/**
 * @param report takes a warning where the node at hand lacks a label
 * @returns the labels, or undefined when every node will do
 */
export function compileSelector(
  { labels, resource }: DeclaredPlugin,
  node: NodeFacts,
  report: Report,
): Readonly<Record<string, string>> | undefined {
  const wanted = Object.entries(labels)
  if (wanted.length === 0) return undefined
  const lacking = lackingLabels(labels, node)
  if (lacking.length > 0) {
    const message = `has no effect on this node: it lacks ${lacking.join(', ')}; the plugin runs on nodes whose NODE_LABELS have it`
    const path = ['spec', 'selector', 'matchLabels']
    report({ code: 'config.no_effect', path, message }, resource)
  }
  return Object.fromEntries(wanted.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The labels a plugin asks for that the node does not have, as `name=value`; none where nobody knows. */
function lackingLabels(labels: DeclaredPlugin['labels'], node: NodeFacts): readonly string[] {
  const own = node.labels
  if (own === undefined) return []
  return Object.entries(labels).flatMap(([name, value]) =>
    own[name] === value ? [] : [`${name}=${value}`],
  )
}

/**
 * @param report takes a warning for each selector that never holds on a gateway
 * @returns the ports, sorted; none: no request at all; undefined: every port
 */
export function compilePorts(
  { match, resource }: DeclaredPlugin,
  report: Report,
): readonly number[] | undefined {
  if (match.length === 0) return undefined
  for (const [index, { mode }] of match.entries()) {
    if (mode !== 'SERVER') continue
    const message =
      'has no effect here: a gateway is the client of what it routes to; write CLIENT or CLIENT_AND_SERVER'
    const path = ['spec', 'match', index, 'mode']
    report({ code: 'config.no_effect', path, message }, resource)
  }
  const holding = match.filter(({ mode }) => mode !== 'SERVER')
  if (holding.some(({ ports = [] }) => ports.length === 0)) return undefined
  const ports = holding.flatMap(({ ports = [] }) => ports.map(({ number }) => number))
  return [...new Set(ports)].sort((a, b) => a - b)
}

/**
 * @param report takes a variable that is set twice, or that the node may not give away
 * @returns sorted by name; what the node has to give is a name alone
 */
export function compileEnv(
  { env, labels, resource }: DeclaredPlugin,
  node: NodeFacts,
  report: Report,
): readonly EnvEntry[] {
  const entries = new Map<string, EnvEntry>()
  // where it runs elsewhere, what that node gives away counts
  const allowed = lackingLabels(labels, node).length > 0 ? undefined : node.hostEnv
  for (const { name, value, path } of env) {
    if (entries.has(name)) {
      const message = `the variable ${name} is set twice`
      report({ code: 'config.duplicate', path, message }, resource)
    }
    if (value === undefined && allowed?.includes(name) === false) {
      const message = `the node does not give ${name} to plugins; add it to ALLOWED_HOST_ENV in wrangler.toml (${listed(allowed)}) and deploy, or write the value inline`
      report({ code: 'config.host_env_denied', path, message }, resource)
    }
    entries.set(name, value === undefined ? [name] : [name, value])
  }
  return [...entries.values()].sort(([a], [b]) => (a < b ? -1 : 1))
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'it lists none' : `it lists ${names.join(', ')}`
}
