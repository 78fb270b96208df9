/**
 * HTTPRoute resources → the snapshot's routes, without their plugins: attached to their Gateways,
 * defaults filled in, every backend resolved to an upstream.
 */
import type { FieldPath, Problem } from '../problem.ts'
import type { BackendRef, BackendReference } from '../resources/backend-ref.ts'
import { durationMs } from '../resources/duration.ts'
import type { HttpRoute, HttpRouteRule } from '../resources/http-route.ts'
import { createdAt, DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import { resourceKey } from '../resources/resource-key.ts'
import { DEFAULT_BACKOFF_MS } from '../resources/upstream.ts'
import type { Upstream } from '../resources/upstream.ts'
import type { Backend, RouteRule, SnapshotRoute } from '../snapshot.ts'
import { attachRoute } from './attach-route.ts'
import { compileFilters, type FilterContext } from './compile-filters.ts'
import type { CompiledGateways } from './compile-gateways.ts'
import { compileMatches } from './compile-matches.ts'
import type { CompiledUpstreams } from './compile-upstreams.ts'
import { reportInto } from './report.ts'
import { resolveBackend } from './resolve-backend.ts'

export type UnchainedRoute = Omit<SnapshotRoute, 'plugins'>

export interface CompiledRoutes {
  /** One for each Gateway that a route is attached to. */
  readonly routes: readonly UnchainedRoute[]
  readonly problems: readonly Problem[]
}

/**
 * @param resources the HTTPRoutes, by namespace and name; an older one comes before, where all else is the same
 * @param gateways what the Gateways compiled to
 * @param upstreams what the Upstreams compiled to
 * @param declared the Upstreams, for the namespaces of references
 */
export function compileRoutes(
  resources: readonly HttpRoute[],
  gateways: CompiledGateways,
  upstreams: CompiledUpstreams,
  declared: readonly Upstream[],
): CompiledRoutes {
  const problems: Problem[] = []
  const report = reportInto(problems)
  const byAge = [...resources].sort((a, b) => createdAt(a.metadata) - createdAt(b.metadata))
  const routes = byAge.flatMap((resource): readonly UnchainedRoute[] => {
    const { name, namespace = DEFAULT_NAMESPACE } = resource.metadata
    const { hostnames = [] } = resource.spec
    const attachments = attachRoute(resource, gateways, report)
    const compiler = new RuleCompiler(resource, upstreams, declared, problems)
    const rules = resource.spec.rules.map((rule, index) => compiler.rule(rule, index))
    return attachments.map((attachment) =>
      Object.assign({ name, namespace, hostnames, rules }, attachment),
    )
  })
  return { routes, problems }
}

class RuleCompiler {
  readonly #route: HttpRoute
  readonly #upstreams: CompiledUpstreams
  readonly #declared: readonly Upstream[]
  readonly #problems: Problem[]

  constructor(
    route: HttpRoute,
    upstreams: CompiledUpstreams,
    declared: readonly Upstream[],
    problems: Problem[],
  ) {
    this.#route = route
    this.#upstreams = upstreams
    this.#declared = declared
    this.#problems = problems
  }

  rule(rule: HttpRouteRule, index: number): RouteRule {
    const at = ['spec', 'rules', index]
    const { backendRefs = [], filters = [] } = rule
    const matches = compileMatches(rule, at, this.#invalid)
    const compiled = compileFilters(filters, this.#context([...at, 'filters'], matches))
    const backends = backendRefs.flatMap((backend, position) =>
      this.#backend(backend, [...at, 'backendRefs', position], matches),
    )
    if (compiled.redirect !== undefined && backendRefs.length > 0) {
      this.#invalid([...at, 'backendRefs'], 'expected none: the rule redirects')
    } else if (
      compiled.redirect === undefined &&
      !backendRefs.some(({ weight = 1 }) => weight > 0)
    ) {
      this.#warn('config.no_backend', at, NO_BACKEND)
    }
    if (compiled.redirect !== undefined) this.#warnOfRedirect(rule, at)
    this.#warnOfHost(compiled.rewrite?.hostname, backends, filters, [...at, 'filters'])
    return {
      ...(rule.name === undefined ? {} : { name: rule.name }),
      matches,
      backends,
      ...compiled,
      ...this.#timeouts(rule, at),
      ...(rule.retry === undefined ? {} : { retry: retryOf(rule.retry) }),
    }
  }

  readonly #invalid = (path: FieldPath, message: string): void => {
    this.#add('config.invalid', 'error', path, message)
  }

  #warn(code: Problem['code'], path: FieldPath, message: string): void {
    this.#add(code, 'warning', path, message)
  }

  #add(
    code: Problem['code'],
    severity: Problem['severity'],
    path: FieldPath,
    message: string,
  ): void {
    this.#problems.push({ code, severity, resource: resourceKey(this.#route), path, message })
  }

  #context(at: FieldPath, matches: RouteRule['matches']): FilterContext {
    const upstream = (backend: BackendReference, path: FieldPath): string | undefined =>
      this.#resolve(backend, path)
    return { at, matches, invalid: this.#invalid, upstream }
  }

  #resolve(backend: BackendReference, at: FieldPath): string | undefined {
    const { namespace = DEFAULT_NAMESPACE } = this.#route.metadata
    const found = resolveBackend(backend, namespace, this.#upstreams, this.#declared)
    if ('upstream' in found) return found.upstream
    this.#add(found.code, 'error', [...at, ...found.path], found.message)
    return undefined
  }

  #backend(backend: BackendRef, at: FieldPath, matches: RouteRule['matches']): Backend[] {
    const upstream = this.#resolve(backend, at)
    const { weight = 1, filters = [] } = backend
    const { requestHeaders, responseHeaders } = compileFilters(
      filters,
      this.#context([...at, 'filters'], matches),
    )
    if (upstream === undefined) return []
    return [
      {
        upstream,
        weight,
        ...(requestHeaders === undefined ? {} : { requestHeaders }),
        ...(responseHeaders === undefined ? {} : { responseHeaders }),
      },
    ]
  }

  /** What a rule says of requests to its upstreams has no effect on one that sends none. */
  #warnOfRedirect({ filters = [], timeouts, retry }: HttpRouteRule, at: FieldPath): void {
    const idle: FieldPath[] = filters.flatMap(({ type }, index) =>
      type === 'RequestHeaderModifier' || type === 'RequestMirror' ? [['filters', index]] : [],
    )
    if (timeouts !== undefined) idle.push(['timeouts'])
    if (retry !== undefined) idle.push(['retry'])
    const message = 'has no effect here: the rule redirects, and nothing is sent to an upstream'
    for (const path of idle) this.#warn('config.no_effect', [...at, ...path], message)
  }

  /** Fetch asks an upstream with a url for the host of that url, whatever a rule says. */
  #warnOfHost(
    hostname: string | undefined,
    backends: readonly Backend[],
    filters: readonly { readonly type: string }[],
    at: FieldPath,
  ): void {
    if (hostname === undefined) return
    const other = backends
      .map(({ upstream }) => this.#upstreams.upstreams[upstream])
      .find((one) => one?.url !== undefined && new URL(one.url).hostname !== hostname)
    if (other === undefined) return
    const index = filters.findIndex(({ type }) => type === 'URLRewrite')
    const message = `has no effect on Host: the Upstream ${other.name} is asked for the host of its url; the name travels as x-forwarded-host`
    this.#warn('config.no_effect', [...at, index, 'urlRewrite', 'hostname'], message)
  }

  #timeouts(
    { timeouts }: HttpRouteRule,
    at: FieldPath,
  ): Pick<RouteRule, 'requestTimeoutMs' | 'backendTimeoutMs'> {
    const { request, backendRequest } = timeouts ?? {}
    const whole = request === undefined ? undefined : durationMs(request)
    const one = backendRequest === undefined ? undefined : durationMs(backendRequest)
    if (whole !== undefined && one !== undefined && whole > 0 && (one > whole || one === 0)) {
      const path = [...at, 'timeouts', 'backendRequest']
      this.#invalid(path, `expected ${request} at the most: that is the timeout of the request`)
    }
    return {
      ...(whole === undefined ? {} : { requestTimeoutMs: whole }),
      ...(one === undefined ? {} : { backendTimeoutMs: one }),
    }
  }
}

const NO_BACKEND =
  'answers every request with 500: no backendRef has a weight, and nothing redirects'

function retryOf(retry: NonNullable<HttpRouteRule['retry']>): NonNullable<RouteRule['retry']> {
  const { attempts = 1, codes = [], backoff } = retry
  return {
    attempts,
    codes: [...new Set(codes)].sort(),
    backoffMs: backoff === undefined ? DEFAULT_BACKOFF_MS : durationMs(backoff),
  }
}
