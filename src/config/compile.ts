/**
 * Resources → snapshot. Pure and deterministic: the same resources, catalog and predecessor give the
 * same bytes, whatever order the resources came in. Runs at the command line, in the policy object
 * and where a local store is seeded.
 */
import { canonicalJson } from './canonical.ts'
import { compilePlugins } from './compile/compile-plugins.ts'
import type { CompiledPlugin } from './compile/compile-plugins.ts'
import { compileRoutes } from './compile/compile-routes.ts'
import { compileUpstreams } from './compile/compile-upstreams.ts'
import { sha256Hex } from './digest.ts'
import type { ModuleCatalog } from './compile/module-catalog.ts'
import { comparePlugins } from './compile/plugin-order.ts'
import type { Problem } from './problem.ts'
import type { Resource } from './resources/kinds.ts'
import { resourceKey } from './resources/resource-key.ts'
import type { PluginId, Snapshot, SnapshotRoute } from './snapshot.ts'

export interface CompileInput {
  /** Checked, and without two of one key. */
  readonly resources: readonly Resource[]
  readonly catalog: ModuleCatalog
  /** What runs now: where each plugin's `lastGood` comes from. */
  readonly previous?: Snapshot | undefined
  /** The Worker's service bindings; absent where nobody knows them. */
  readonly services?: readonly string[] | undefined
}

export interface Compiled {
  /** Absent when a problem is an error. */
  readonly snapshot?: Snapshot
  readonly problems: readonly Problem[]
}

export interface NamedSnapshot {
  readonly snapshot: Snapshot
  /** sha256 of `text`. */
  readonly hash: string
  /** The bytes that are stored. */
  readonly text: string
}

export function compile(input: CompileInput): Compiled {
  // Sorted first, so that neither problems nor bytes depend on the order of files.
  const resources = [...input.resources].sort((a, b) => (resourceKey(a) < resourceKey(b) ? -1 : 1))
  const httpRoutes = resources.filter((one) => one.kind === 'HTTPRoute')
  const declared = resources.filter((one) => one.kind === 'Upstream')

  const upstreams = compileUpstreams(declared, input.services)
  const unchained = compileRoutes(httpRoutes, upstreams, declared)
  const compiled = compilePlugins({
    plugins: resources.filter((one) => one.kind === 'WasmPlugin'),
    policies: resources.filter((one) => one.kind === 'PluginPolicy'),
    routes: httpRoutes,
    upstreams,
    catalog: input.catalog,
    previous: input.previous?.plugins ?? {},
  })

  const problems = [...upstreams.problems, ...unchained.problems, ...compiled.problems]
  if (problems.some((problem) => problem.severity === 'error')) return { problems }

  const ordered = [...compiled.plugins].sort((a, b) => comparePlugins(a.plugin, b.plugin))
  const routes = unchained.routes.map((route): SnapshotRoute =>
    Object.assign(route, { plugins: chainOf(ordered, `${route.namespace}/${route.name}`) }),
  )
  const plugins = Object.fromEntries(ordered.map(({ plugin }) => [plugin.id, plugin]))
  const gatewayPlugins = chainOf(ordered, undefined)
  const snapshot: Snapshot = {
    schema: 1,
    routes,
    gatewayPlugins,
    plugins,
    upstreams: upstreams.upstreams,
  }
  return { snapshot, problems }
}

/** Gives a snapshot its bytes and its name. */
export async function nameSnapshot(snapshot: Snapshot): Promise<NamedSnapshot> {
  const text = canonicalJson(snapshot)
  return { snapshot, hash: await sha256Hex(text), text }
}

/** @param route `namespace/name`, or undefined for requests that match none */
function chainOf(
  ordered: readonly CompiledPlugin[],
  route: string | undefined,
): readonly PluginId[] {
  return ordered
    .filter(({ plugin }) => plugin.singleton !== true)
    .filter(({ routes }) => routes === undefined || (route !== undefined && routes.has(route)))
    .map(({ plugin }) => plugin.id)
}
