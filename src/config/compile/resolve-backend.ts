/** A reference of a route → the upstream it leads to. */
import { nearest } from '../nearest.ts'
import type { Problem } from '../problem.ts'
import type { BackendReference } from '../resources/backend-ref.ts'
import { DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import type { Upstream } from '../resources/upstream.ts'
import type { CompiledUpstreams } from './compile-upstreams.ts'

export type ResolvedBackend =
  | { readonly upstream: string }
  /** The path starts at the reference. */
  | Pick<Problem, 'code' | 'path' | 'message'>

/**
 * @param routeNamespace where a reference without a namespace leads
 * @param declared the Upstreams, for their namespaces
 */
export function resolveBackend(
  backend: BackendReference,
  routeNamespace: string,
  upstreams: CompiledUpstreams,
  declared: readonly Upstream[],
): ResolvedBackend {
  const { group = '', kind = 'Service', name, namespace = routeNamespace, port } = backend
  if (kind === 'Service') {
    if (group !== '') {
      const message = 'expected the group "" for kind Service, or kind Upstream'
      return { code: 'config.invalid', path: ['group'], message }
    }
    if (port === undefined) {
      const message = 'expected the port of the Service'
      return { code: 'config.invalid', path: ['port'], message }
    }
    const alias = `${name}.${namespace}:${port}`
    const upstream = upstreams.names.get(alias)
    if (upstream !== undefined) return { upstream }
    const message = `no Upstream has the alias ${JSON.stringify(alias)}; add it to the Upstream that stands for this Service`
    return { code: 'config.dangling_reference', path: ['name'], message }
  }
  if (group !== 'postern.dev') {
    const message = 'expected the group "postern.dev" for kind Upstream'
    return { code: 'config.invalid', path: ['group'], message }
  }
  const found = declared.filter((upstream) => upstream.metadata.name === name)
  const namespaces = found.map((upstream) => upstream.metadata.namespace ?? DEFAULT_NAMESPACE)
  if (namespaces.includes(namespace)) return { upstream: name }
  const [elsewhere] = namespaces
  if (elsewhere !== undefined) {
    const message = `the Upstream ${name} is in namespace ${elsewhere}; write namespace: ${elsewhere}`
    return { code: 'config.dangling_reference', path: ['name'], message }
  }
  const near = nearest(name, Object.keys(upstreams.upstreams))
  const hint = near === undefined ? 'add it' : `did you mean ${near}?`
  const message = `there is no Upstream ${name}; ${hint}`
  return { code: 'config.dangling_reference', path: ['name'], message }
}
