/**
 * HTTPRoute resources → the snapshot's routes, without their plugins: defaults filled in, paths in
 * one form, every backend resolved to an upstream.
 */
import type { FieldPath, Problem } from '../problem.ts'
import type { PathMatch, RouteMatch, RouteRule, SnapshotRoute } from '../snapshot.ts'
import type { CompiledUpstreams } from './compile-upstreams.ts'
import { nearest } from '../nearest.ts'
import type { BackendRef, HttpRoute, HttpRouteMatch } from '../resources/http-route.ts'
import { DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import { resourceKey } from '../resources/resource-key.ts'
import type { Upstream } from '../resources/upstream.ts'

export type UnchainedRoute = Omit<SnapshotRoute, 'plugins'>

export interface CompiledRoutes {
  readonly routes: readonly UnchainedRoute[]
  readonly problems: readonly Problem[]
}

/**
 * @param resources the HTTPRoutes
 * @param upstreams what the Upstreams compiled to
 * @param declared the Upstreams, for the namespaces of references
 */
export function compileRoutes(
  resources: readonly HttpRoute[],
  upstreams: CompiledUpstreams,
  declared: readonly Upstream[],
): CompiledRoutes {
  const problems: Problem[] = []
  const routes = resources.map((resource): UnchainedRoute => {
    const { name, namespace = DEFAULT_NAMESPACE } = resource.metadata
    const report = (
      code: Problem['code'],
      path: FieldPath,
      message: string,
      severity: Problem['severity'] = 'error',
    ): void => {
      problems.push({ code, severity, resource: resourceKey(resource), path, message })
    }
    checkParents(resource, report)
    const rules = resource.spec.rules.map((rule, index): RouteRule => {
      const at = ['spec', 'rules', index, 'backendRefs']
      const [backend, second] = rule.backendRefs
      if (second !== undefined) {
        const message = 'several backendRefs are outside the supported subset: write one'
        report('config.unsupported', [...at, 1], message)
      }
      const found =
        backend === undefined ? undefined : findBackend(backend, namespace, upstreams, declared)
      if (found !== undefined && 'message' in found) {
        report(found.code, [...at, 0, ...found.path], found.message)
      }
      return {
        matches: (rule.matches ?? [{}]).map((match) => compileMatch(match)),
        upstream: found !== undefined && 'upstream' in found ? found.upstream : '',
      }
    })
    return { name, namespace, hostnames: resource.spec.hostnames ?? [], rules }
  })
  return { routes, problems }
}

type Report = (
  code: Problem['code'],
  path: FieldPath,
  message: string,
  severity?: Problem['severity'],
) => void

function checkParents(resource: HttpRoute, report: Report): void {
  for (const [index, parent] of (resource.spec.parentRefs ?? []).entries()) {
    const path = ['spec', 'parentRefs', index]
    if ((parent.kind ?? 'Gateway') === 'Gateway') {
      const message = `has no effect here: there is no Gateway ${parent.name}; the default Gateway takes the route`
      report('config.no_effect', path, message, 'warning')
    } else {
      const message = `kind ${parent.kind} is outside the supported subset: a route is for a Gateway`
      report('config.unsupported', [...path, 'kind'], message)
    }
  }
}

type Backend =
  | { readonly upstream: string }
  | { readonly code: Problem['code']; readonly path: FieldPath; readonly message: string }

function findBackend(
  backend: BackendRef,
  routeNamespace: string,
  upstreams: CompiledUpstreams,
  declared: readonly Upstream[],
): Backend {
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

function compileMatch(match: HttpRouteMatch): RouteMatch {
  const headers = compileHeaders(match.headers ?? [])
  return {
    path: compilePath(match.path?.type ?? 'PathPrefix', match.path?.value ?? '/'),
    ...(match.method === undefined ? {} : { method: match.method }),
    ...(headers.length === 0 ? {} : { headers }),
  }
}

function compilePath(type: PathMatch['type'], value: string): PathMatch {
  if (type === 'Exact' || value === '/') return { type, value }
  return { type, value: value.replace(/\/$/, '') }
}

/** Gateway API: of several entries for one header only the first counts. */
function compileHeaders(
  headers: NonNullable<HttpRouteMatch['headers']>,
): RouteMatch['headers'] & {} {
  const first = new Map<string, string>()
  for (const { name, value } of headers) {
    const key = name.toLowerCase()
    if (!first.has(key)) first.set(key, value)
  }
  return [...first].map(([name, value]) => ({ name, value }))
}
