/**
 * Resources → snapshot. Pure and deterministic: the same resources, catalog and predecessor give the
 * same bytes, whatever order the resources came in. Runs at the command line, in the policy object
 * and where a local store is seeded.
 */
import { canonicalJson } from './canonical.ts'
import { compileGateways } from './compile/compile-gateways.ts'
import { compilePlugins } from './compile/compile-plugins.ts'
import type { CompiledPlugin } from './compile/compile-plugins.ts'
import { compileRollouts } from './compile/compile-rollouts.ts'
import { compileRoutes } from './compile/compile-routes.ts'
import { compileUpstreams } from './compile/compile-upstreams.ts'
import { sha256Hex } from './digest.ts'
import { declaresPlugins } from './compile/declared-plugin.ts'
import type { ModuleCatalog } from './compile/module-catalog.ts'
import type { NodeFacts } from './compile/plugin-conditions.ts'
import {
  type ChainPlace,
  DEFAULT_GATEWAY,
  keyOf,
  type Named,
  ROOT_NAMESPACE,
} from './compile/plugin-reach.ts'
import type { Problem } from './problem.ts'
import { reportInto } from './compile/report.ts'
import type { Resource } from './resources/kinds.ts'
import { DEFAULT_NAMESPACE } from './resources/metadata.ts'
import { resourceKey } from './resources/resource-key.ts'
import type { PluginId, Snapshot, SnapshotRoute } from './snapshot.ts'
import { SNAPSHOT_SCHEMA } from './snapshot.ts'

export interface CompileInput {
  /** Checked, and without two of one key. */
  readonly resources: readonly Resource[]
  readonly catalog: ModuleCatalog
  /** What runs now: where each plugin's `lastGood` comes from. */
  readonly previous?: Snapshot | undefined
  /** The Worker's service bindings; absent where nobody knows them. */
  readonly services?: readonly string[] | undefined
  /** What the node that compiles is and gives to plugins; absent where nobody knows it. */
  readonly node?: NodeFacts | undefined
  /** The namespace whose plugins are for all namespaces; Istio's when absent. */
  readonly rootNamespace?: string | undefined
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
  const gateways = compileGateways(resources.filter((one) => one.kind === 'Gateway'))
  const unchained = compileRoutes(httpRoutes, gateways, upstreams, declared)
  const compiled = compilePlugins({
    plugins: resources.filter(declaresPlugins),
    policies: resources.filter((one) => one.kind === 'PluginPolicy'),
    attachable: {
      gateways: [...gateways.declared.values()].map(named),
      routes: httpRoutes.map(named),
      rootNamespace: input.rootNamespace ?? ROOT_NAMESPACE,
    },
    upstreams,
    catalog: input.catalog,
    node: input.node ?? {},
    previous: input.previous?.plugins ?? {},
  })
  const ofRollouts: Problem[] = []
  const rollouts = compileRollouts(
    resources.filter((one) => one.kind === 'PluginRollout'),
    compiled.plugins.map(({ plugin }) => plugin),
    input.catalog,
    reportInto(ofRollouts),
    input.node,
  )

  const problems = [
    ...upstreams.problems,
    ...gateways.problems,
    ...unchained.problems,
    ...compiled.problems,
    ...ofRollouts,
  ]
  if (problems.some((problem) => problem.severity === 'error')) return { problems }

  const byKey = new Map(gateways.gateways.map((one) => [keyOf(one), one]))
  const routes = unchained.routes.map((route): SnapshotRoute => {
    const gateway = byKey.get(route.gateway) ?? DEFAULT_GATEWAY
    return Object.assign(route, { plugins: chainAt(compiled.plugins, { gateway, route }) })
  })
  const plugins = Object.fromEntries(compiled.plugins.map(({ plugin }) => [plugin.id, plugin]))
  const gatewayPlugins = chainAt(compiled.plugins, { gateway: DEFAULT_GATEWAY })
  const snapshot: Snapshot = {
    schema: SNAPSHOT_SCHEMA,
    gateways: gateways.gateways.map((gateway) =>
      Object.assign(gateway, { plugins: chainAt(compiled.plugins, { gateway }) }),
    ),
    routes,
    gatewayPlugins,
    plugins,
    upstreams: upstreams.upstreams,
    ...(rollouts.length === 0 ? {} : { rollouts }),
  }
  return { snapshot, problems }
}

/** Gives a snapshot its bytes and its name. */
export async function nameSnapshot(snapshot: Snapshot): Promise<NamedSnapshot> {
  const text = canonicalJson(snapshot)
  return { snapshot, hash: await sha256Hex(text), text }
}

function named({ metadata: { name, namespace = DEFAULT_NAMESPACE } }: Resource): Named {
  return { name, namespace }
}

/** @param plugins in request order */
function chainAt(plugins: readonly CompiledPlugin[], place: ChainPlace): readonly PluginId[] {
  return plugins.filter(({ runsAt }) => runsAt(place)).map(({ plugin }) => plugin.id)
}
