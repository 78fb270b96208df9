/**
 * What a route names where requests go: an Upstream, or a Service that an Upstream stands for, with its
 * share of the requests and what is changed of their headers.
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#httpbackendref
 */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { choice, described, namespaceName, outside, resourceName, whole } from './fields.ts'
import { headerFilter } from './header-filter.ts'
import type { HeaderFilter } from './header-filter.ts'

export interface BackendReference {
  readonly group?: '' | 'postern.dev'
  readonly kind?: 'Service' | 'Upstream'
  readonly name: string
  readonly namespace?: string
  readonly port?: number
}

export interface BackendRef extends BackendReference {
  readonly weight?: number
  readonly filters?: readonly BackendFilter[]
}

/** On a backend headers alone are edited. */
export interface BackendFilter {
  readonly type: 'RequestHeaderModifier' | 'ResponseHeaderModifier'
  readonly requestHeaderModifier?: HeaderFilter
  readonly responseHeaderModifier?: HeaderFilter
}

const entries = {
  group: v.exactOptional(
    choice(['', 'postern.dev'], {
      about: doc('`postern.dev` for an Upstream, empty for a Service.'),
      default: doc('""'),
    }),
  ),
  kind: v.exactOptional(
    choice(['Service', 'Upstream'], {
      about: doc(
        'An Upstream by its name, or a Service by the alias `<name>.<namespace>:<port>` of an Upstream.',
      ),
      default: doc('Service'),
    }),
  ),
  name: described(resourceName, { about: doc('The Upstream, or the Service.') }),
  namespace: v.exactOptional(
    described(namespaceName, {
      about: doc('Where it is; no grant is needed for another namespace.'),
      default: doc("the route's"),
    }),
  ),
  port: v.exactOptional(described(whole(1, 65_535), { about: doc('Required for a Service.') })),
}

export const backendReference: v.GenericSchema<unknown, BackendReference> = v.object(entries)

/** Filters that exist and do not work here: type → what to do instead. */
export const OUTSIDE_FILTERS: Readonly<Record<'CORS' | 'ExternalAuth' | 'ExtensionRef', string>> = {
  CORS: 'answer preflight requests with a plugin',
  ExternalAuth: 'write a plugin that calls the authorization service',
  ExtensionRef: 'write a WasmPlugin whose targetRefs name the route',
}

const ON_THE_RULE = {
  RequestMirror: 'write it on the rule',
  RequestRedirect: 'write it on the rule',
  URLRewrite: 'write it on the rule',
} as const

const backendFilter: v.GenericSchema<unknown, BackendFilter> = v.object({
  type: choice(['RequestHeaderModifier', 'ResponseHeaderModifier'], {
    about: doc('Which of the members below is set.'),
    outsideValues: { ...ON_THE_RULE, ...OUTSIDE_FILTERS },
  }),
  requestHeaderModifier: v.exactOptional(headerFilter),
  responseHeaderModifier: v.exactOptional(headerFilter),
  requestMirror: outside(ON_THE_RULE.RequestMirror),
  requestRedirect: outside(ON_THE_RULE.RequestRedirect),
  urlRewrite: outside(ON_THE_RULE.URLRewrite),
  cors: outside(OUTSIDE_FILTERS.CORS),
  externalAuth: outside(OUTSIDE_FILTERS.ExternalAuth),
  extensionRef: outside(OUTSIDE_FILTERS.ExtensionRef),
})

export const backendRef: v.GenericSchema<unknown, BackendRef> = v.object({
  ...entries,
  weight: v.exactOptional(
    described(whole(0, 1_000_000), {
      about: doc('Its share of the sum of all weights; 0 gets nothing.'),
      default: doc('1'),
    }),
  ),
  filters: v.exactOptional(
    described(v.array(backendFilter), {
      about: doc('For requests to this backend, behind the filters of the rule.'),
    }),
  ),
})
