/**
 * Which listeners of which Gateways a route is attached to: its parentRefs, the Gateways' allowedRoutes
 * and the hosts of both, by Gateway API's rules.
 * @see https://gateway-api.sigs.k8s.io/concepts/api-overview/#attaching-routes-to-gateways
 */
import { commonHostnames, covers } from '../hostnames.ts'
import type { FieldPath } from '../problem.ts'
import type { Gateway, Listener } from '../resources/gateway.ts'
import type { HttpRoute, ParentRef } from '../resources/http-route.ts'
import { DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import type { SnapshotListener } from '../snapshot.ts'
import {
  type CompiledGateways,
  missingListener,
  type UnchainedGateway,
} from './compile-gateways.ts'
import { DEFAULT_GATEWAY, keyOf } from './plugin-reach.ts'
import type { Report } from './report.ts'

export interface Attachment {
  /** `namespace/name` */
  readonly gateway: string
  /** Absent: all of its listeners. */
  readonly listeners?: readonly string[]
}

const GROUP = 'gateway.networking.k8s.io'

/**
 * @param report takes parents that are not there, and those the route does not come to
 * @returns one for each Gateway; none when the route is attached nowhere
 */
export function attachRoute(
  route: HttpRoute,
  gateways: CompiledGateways,
  report: Report,
): readonly Attachment[] {
  const found = new Map<string, Set<string>>()
  const parents = route.spec.parentRefs ?? []
  for (const [index, parent] of parents.entries()) {
    const path = ['spec', 'parentRefs', index]
    const kind = parent.kind ?? 'Gateway'
    if (kind !== 'Gateway' || (parent.group ?? GROUP) !== GROUP) {
      const message = `kind ${kind} is outside the supported subset: a route is for a Gateway`
      report({ code: 'config.unsupported', path: [...path, 'kind'], message }, route)
      continue
    }
    attach(parent, path, route, gateways, report, found)
  }
  if (parents.length === 0) {
    // nothing was named: an own Gateway in its place decides whom it takes
    attach(DEFAULT_GATEWAY, ['spec'], route, gateways, report, found)
  }
  if (found.has(keyOf(DEFAULT_GATEWAY))) warnOfHosts(route, gateways, found, report)
  return [...found].map(([gateway, names]): Attachment => {
    const all = gateways.gateways.find((one) => keyOf(one) === gateway)?.listeners ?? []
    const listeners = all.map(({ name }) => name).filter((name) => names.has(name))
    return listeners.length === all.length ? { gateway } : { gateway, listeners }
  })
}

function attach(
  parent: ParentRef,
  path: FieldPath,
  route: HttpRoute,
  gateways: CompiledGateways,
  report: Report,
  found: Map<string, Set<string>>,
): void {
  const { namespace: own = DEFAULT_NAMESPACE } = route.metadata
  const { name, namespace = own, sectionName, port } = parent
  const find = (key: string): UnchainedGateway | undefined =>
    gateways.gateways.find((one) => keyOf(one) === key)
  const named = find(keyOf({ namespace, name }))
  const gateway = named ?? find(keyOf(DEFAULT_GATEWAY))
  if (gateway === undefined) return
  if (named === undefined) {
    const message = `has no effect here: there is no Gateway ${name}; the default Gateway takes the route`
    report({ code: 'config.no_effect', path, message }, route)
  }
  const resource = gateways.declared.get(keyOf(gateway))
  const asked = gateway.listeners.filter(
    (listener) =>
      named === undefined ||
      resource === undefined ||
      ((sectionName === undefined || listener.name === sectionName) &&
        (port === undefined || listener.port === port)),
  )
  if (asked.length === 0) {
    const message =
      sectionName === undefined || gateway.listeners.some((one) => one.name === sectionName)
        ? `no listener of the Gateway ${name} asked for has port ${port}`
        : missingListener(sectionName, gateway)
    const at = [...path, sectionName === undefined ? 'port' : 'sectionName']
    report({ code: 'config.dangling_reference', path: at, message }, route)
    return
  }
  const open = asked.filter((listener) => admits(resource, listener, own))
  const taken = open.filter(
    ({ hostname }) => commonHostnames(route.spec.hostnames ?? [], hostname) !== undefined,
  )
  if (taken.length === 0) {
    const why =
      open.length === 0 ? `its allowedRoutes keep routes of ${own} out` : 'its hosts are others'
    const message = `has no effect here: the route attaches nowhere on the Gateway ${gateway.name}, as ${why}`
    report({ code: 'config.no_effect', path, message }, route)
    return
  }
  const names = found.get(keyOf(gateway)) ?? new Set<string>()
  for (const listener of taken) names.add(listener.name)
  found.set(keyOf(gateway), names)
}

/** A request goes to the most specific listener of its host, and there the default Gateway's routes are not. */
function warnOfHosts(
  route: HttpRoute,
  { declared }: CompiledGateways,
  found: ReadonlyMap<string, unknown>,
  report: Report,
): void {
  for (const [index, host] of (route.spec.hostnames ?? []).entries()) {
    for (const [key, { spec }] of declared) {
      const listener = spec.listeners.find(({ hostname }) => hostname && covers(hostname, host))
      if (listener === undefined || found.has(key)) continue
      const message = `has no effect here: requests for ${host} go to the listener ${listener.name} of the Gateway ${key}; name it in parentRefs`
      report({ code: 'config.no_effect', path: ['spec', 'hostnames', index], message }, route)
    }
  }
}

/** Whether a listener takes the routes of a namespace; the default Gateway takes all. */
function admits(
  gateway: Gateway | undefined,
  { name }: SnapshotListener,
  namespace: string,
): boolean {
  const listener: Listener | undefined = gateway?.spec.listeners.find((one) => one.name === name)
  if (gateway === undefined || listener === undefined) return true
  const { namespaces, kinds } = listener.allowedRoutes ?? {}
  if (kinds !== undefined) {
    const takes = kinds.some(({ group = GROUP, kind }) => group === GROUP && kind === 'HTTPRoute')
    if (!takes) return false
  }
  const from = namespaces?.from ?? 'Same'
  return (
    from === 'All' ||
    (from === 'Same' && (gateway.metadata.namespace ?? DEFAULT_NAMESPACE) === namespace)
  )
}
