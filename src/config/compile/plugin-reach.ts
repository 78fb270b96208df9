/**
 * Where in the gateway a plugin runs: the routes and Gateways it is for, by its targets or, without
 * any, by its namespace. Nodes, ports and requests are the gateway's to look at, not this file's.
 */
import type { DeclaredPlugin, DeclaredTarget } from './declared-plugin.ts'
import { nearest } from '../nearest.ts'
import type { Report } from './report.ts'

/** A chain's place: a route as it is attached to a Gateway, or what of the Gateway has no route. */
export interface ChainPlace {
  readonly gateway: Named
  readonly route?: Named
}

export interface Named {
  readonly name: string
  readonly namespace: string
}

/** What there is for a plugin to be for. */
export interface Attachable {
  /** Those that are declared. */
  readonly gateways: readonly Named[]
  readonly routes: readonly Named[]
  /** Its plugins are for every namespace. */
  readonly rootNamespace: string
}

/** Is there without being declared, and takes what names no other. */
export const DEFAULT_GATEWAY: Named = { name: 'default', namespace: 'default' }

/** Istio's. */
export const ROOT_NAMESPACE = 'istio-system'

export type Reach = (place: ChainPlace) => boolean

/**
 * @param plugin what it is for
 * @param overridden routes that its targets of kind Gateway do not count for
 * @param report takes what is wrong with its targets
 */
export function reachOf(
  plugin: DeclaredPlugin,
  world: Attachable,
  overridden: ReadonlySet<string>,
  report: Report,
): Reach {
  const { namespace, targets } = plugin
  if (targets === undefined || targets.length === 0) return ofNamespace(plugin, world, report)
  const gateways = new Set<string>()
  const routes = new Set<string>()
  for (const target of targets) {
    if (target.namespace !== undefined && target.namespace !== namespace) {
      const message = `another namespace is outside the supported subset: write the plugin in ${target.namespace}`
      const path = [...target.path, 'namespace']
      report({ code: 'config.unsupported', path, message }, plugin.resource)
    } else if (target.kind === 'Gateway') {
      for (const key of findGateways(plugin, target, world, report)) gateways.add(key)
    } else if (find(world.routes, target.name, namespace)) {
      routes.add(keyOf({ name: target.name, namespace }))
    } else {
      const message = missing('HTTPRoute', target.name, namespace, world.routes)
      report({ code: 'config.dangling_reference', path: target.named, message }, plugin.resource)
    }
  }
  return ({ gateway, route }) => {
    if (route === undefined) return gateways.has(keyOf(gateway))
    const key = keyOf(route)
    return routes.has(key) || (gateways.has(keyOf(gateway)) && !overridden.has(key))
  }
}

/** Istio: the plugins of a namespace are for its workloads, which here are its Gateways and routes. */
function ofNamespace(plugin: DeclaredPlugin, world: Attachable, report: Report): Reach {
  const { namespace, resource } = plugin
  const { rootNamespace, gateways, routes } = world
  if (namespace === rootNamespace) return () => true
  const here = [DEFAULT_GATEWAY, ...gateways, ...routes].some((one) => one.namespace === namespace)
  if (!here) {
    const message = `has no effect here: namespace ${namespace} has neither routes nor a Gateway. Declare the Gateway there, name targetRefs, or move the plugin to ${rootNamespace}, whose plugins are for all namespaces`
    report({ code: 'config.no_effect', path: ['metadata', 'namespace'], message }, resource)
  }
  return ({ gateway, route }) => gateway.namespace === namespace || route?.namespace === namespace
}

/**
 * The Gateways of a name in the plugin's namespace, from the root namespace in any. One that is not
 * declared is the default one, as for routes.
 */
function findGateways(
  plugin: DeclaredPlugin,
  { name, named }: DeclaredTarget,
  { gateways, rootNamespace }: Attachable,
  report: Report,
): readonly string[] {
  const { namespace } = plugin
  const found = [DEFAULT_GATEWAY, ...gateways].filter(
    (one) => one.name === name && (one.namespace === namespace || namespace === rootNamespace),
  )
  if (found.length > 0) return found.map(keyOf)
  const message = `has no effect here: there is no Gateway ${name}; the plugin runs on the default Gateway`
  report({ code: 'config.no_effect', path: named, message }, plugin.resource)
  return [keyOf(DEFAULT_GATEWAY)]
}

export function keyOf({ namespace, name }: Named): string {
  return `${namespace}/${name}`
}

function find(among: readonly Named[], name: string, namespace: string): boolean {
  return among.some((one) => one.name === name && one.namespace === namespace)
}

/** What is said of a reference to something that is not there. */
export function missing(
  kind: string,
  name: string,
  namespace: string,
  known: readonly Named[],
): string {
  const names = known.filter((one) => one.namespace === namespace).map((one) => one.name)
  const near = nearest(name, names)
  const hint = near === undefined ? 'add it' : `did you mean ${near}?`
  return `there is no ${kind} ${name} in namespace ${namespace}; ${hint}`
}
