/**
 * Gateway resources → the snapshot's gateways, without their plugins. Beside those that are declared
 * there is the default Gateway, which takes what names no other.
 */
import { nearest } from '../nearest.ts'
import type { Problem } from '../problem.ts'
import type { Gateway, Listener } from '../resources/gateway.ts'
import { DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import { resourceKey } from '../resources/resource-key.ts'
import type { SnapshotGateway, SnapshotListener } from '../snapshot.ts'
import { DEFAULT_GATEWAY, keyOf } from './plugin-reach.ts'
import { reportInto } from './report.ts'

export type UnchainedGateway = Omit<SnapshotGateway, 'plugins'>

export interface CompiledGateways {
  /** Sorted by namespace and name. */
  readonly gateways: readonly UnchainedGateway[]
  /** As they were declared, by `namespace/name`. */
  readonly declared: ReadonlyMap<string, Gateway>
  readonly problems: readonly Problem[]
}

/** @param resources the Gateways, sorted by namespace and name */
export function compileGateways(resources: readonly Gateway[]): CompiledGateways {
  const problems: Problem[] = []
  const report = reportInto(problems)
  const declared = new Map<string, Gateway>()
  const owners = new Map<string, string>()
  const gateways = resources.map((resource): UnchainedGateway => {
    const { name, namespace = DEFAULT_NAMESPACE } = resource.metadata
    declared.set(keyOf({ name, namespace }), resource)
    const names = new Set<string>()
    for (const [index, listener] of resource.spec.listeners.entries()) {
      const path = ['spec', 'listeners', index]
      if (names.has(listener.name)) {
        const message = `there is another listener ${listener.name}`
        report({ code: 'config.duplicate', path: [...path, 'name'], message }, resource)
      }
      names.add(listener.name)
      const place = placeOf(listener)
      const owner = owners.get(place)
      owners.set(place, owner ?? resourceKey(resource))
      if (owner === resourceKey(resource)) {
        const message = `another listener has the same host, port and protocol (${place})`
        report({ code: 'config.duplicate', path, message }, resource)
      } else if (owner !== undefined) {
        const message = `has no effect on requests that match no route: ${owner} listens at ${place} as well, and its plugins run on those`
        report({ code: 'config.no_effect', path, message }, resource)
      }
    }
    return { name, namespace, listeners: resource.spec.listeners.map(compileListener) }
  })
  if (!declared.has(keyOf(DEFAULT_GATEWAY))) {
    gateways.push({ ...DEFAULT_GATEWAY, listeners: [{ name: 'default' }] })
    gateways.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  }
  return { gateways, declared, problems }
}

function placeOf({ hostname = 'every host', port, protocol }: Listener): string {
  return `${hostname}, port ${port}, ${protocol}`
}

function compileListener({ name, hostname, port, protocol }: Listener): SnapshotListener {
  return { name, ...(hostname === undefined ? {} : { hostname }), port, protocol }
}

/** What is said of a listener that a Gateway does not have. */
export function missingListener(name: string, gateway: UnchainedGateway): string {
  const known = gateway.listeners.map((listener) => listener.name)
  const near = nearest(name, known)
  const hint = near === undefined ? `it has ${known.join(', ')}` : `did you mean ${near}?`
  return `the Gateway ${gateway.name} has no listener ${name}; ${hint}`
}
