/**
 * `gateway.networking.k8s.io/v1 HTTPRoute`: which requests go to which upstream. The part of Gateway
 * API's kind that works here; every other field of it is refused by name.
 */
import * as v from 'valibot'
import { choice, described, namespaceName, outside, resourceName, text, whole } from './fields.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'

export interface ParentRef {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name: string
  readonly sectionName?: string
  readonly port?: number
}

export interface HttpRouteMatch {
  readonly path?: { readonly type?: 'Exact' | 'PathPrefix'; readonly value?: string }
  readonly method?: string
  readonly headers?: readonly {
    readonly type?: 'Exact'
    readonly name: string
    readonly value: string
  }[]
}

export interface BackendRef {
  readonly group?: '' | 'postern.dev'
  readonly kind?: 'Service' | 'Upstream'
  readonly name: string
  readonly namespace?: string
  readonly port?: number
  readonly weight?: number
}

export interface HttpRouteRule {
  readonly name?: string
  readonly matches?: readonly HttpRouteMatch[]
  readonly backendRefs: readonly BackendRef[]
}

export interface HttpRoute {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'HTTPRoute'
  readonly metadata: Metadata
  readonly spec: {
    readonly parentRefs?: readonly ParentRef[]
    readonly hostnames?: readonly string[]
    readonly rules: readonly HttpRouteRule[]
  }
}

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
] as const

/** RFC 9110 token: a header's name. */
const headerName = text(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/, 'the name of a header')

const hostname = text(
  /^(?=.{1,253}$)(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  'a host name in lower case without port, optionally with "*." in front',
)

/** What Gateway API allows: it starts with "/" and holds nothing that a client could write otherwise. */
const pathValue = v.pipe(
  v.string(),
  v.startsWith('/', 'expected a path that starts with "/"'),
  v.maxLength(1024, 'expected 1,024 characters or less'),
  v.check(
    (path) => !/\/\/|\/\.\.?(\/|$)|#|\?|%2[fF]/.test(path),
    'expected a path without "//", "/./", "/../", "%2f", "?" and "#"',
  ),
)

const parentRef = v.object({
  group: v.exactOptional(
    described(v.string(), {
      about: "The group of the parent's kind.",
      default: 'gateway.networking.k8s.io',
    }),
  ),
  kind: v.exactOptional(
    described(v.string(), { about: 'Gateway; a route is for nothing else.', default: 'Gateway' }),
  ),
  namespace: v.exactOptional(
    described(namespaceName, { about: 'Where the Gateway is.', default: "the route's" }),
  ),
  name: described(v.string(), {
    about: 'The Gateway. There is one, the default Gateway, and it takes every route.',
  }),
  sectionName: v.exactOptional(
    described(v.string(), { about: 'A listener of the Gateway; the default Gateway has one.' }),
  ),
  port: v.exactOptional(
    described(whole(1, 65_535), { about: 'A port of the Gateway; the default Gateway has one.' }),
  ),
})

const match = v.object({
  path: v.exactOptional(
    v.object({
      type: v.exactOptional(
        choice(['Exact', 'PathPrefix'], {
          about:
            '`PathPrefix` compares whole path elements: `/shop` matches `/shop/x`, not `/shopping`.',
          default: 'PathPrefix',
          outsideValues: { RegularExpression: 'write Exact or PathPrefix' },
        }),
      ),
      value: v.exactOptional(
        described(pathValue, { about: 'The path, without query.', default: '/' }),
      ),
    }),
  ),
  method: v.exactOptional(choice(METHODS, { about: 'The request method.', default: 'any' })),
  headers: v.exactOptional(
    v.array(
      v.object({
        type: v.exactOptional(
          choice(['Exact'], {
            about: 'How values are compared.',
            default: 'Exact',
            outsideValues: { RegularExpression: 'write the exact value' },
          }),
        ),
        name: described(headerName, { about: 'Compared without regard to case.' }),
        value: described(v.pipe(v.string(), v.maxLength(4096)), {
          about: 'The whole value; lines of the same name are joined with ", ".',
        }),
      }),
    ),
  ),
  queryParams: outside('a route is chosen by host, path, method and headers'),
})

const backendRef = v.object({
  group: v.exactOptional(
    choice(['', 'postern.dev'], {
      about: '`postern.dev` for an Upstream, empty for a Service.',
      default: '""',
    }),
  ),
  kind: v.exactOptional(
    choice(['Service', 'Upstream'], {
      about:
        'An Upstream by its name, or a Service by the alias `<name>.<namespace>:<port>` of an Upstream.',
      default: 'Service',
    }),
  ),
  name: described(resourceName, { about: 'The Upstream, or the Service.' }),
  namespace: v.exactOptional(
    described(namespaceName, {
      about: 'Where it is; no grant is needed for another namespace.',
      default: "the route's",
    }),
  ),
  port: v.exactOptional(described(whole(1, 65_535), { about: 'Required for a Service.' })),
  weight: v.exactOptional(
    described(whole(1, 1_000_000), {
      about: 'Accepted on the only backend, which takes everything.',
      default: '1',
    }),
  ),
  filters: outside('edit headers with the plugin header-policy'),
})

const rule = v.object({
  name: v.exactOptional(described(v.string(), { about: 'For people.' })),
  matches: v.exactOptional(
    described(v.array(match), {
      about: 'The rule holds when any of them holds.',
      default: 'one that matches every path',
    }),
  ),
  filters: outside('edit headers with the plugin header-policy'),
  backendRefs: described(v.pipe(v.array(backendRef), v.minLength(1, 'expected one backend')), {
    about: 'Exactly one: where requests go.',
  }),
  timeouts: outside('set `timeoutMs` on the Upstream'),
  retry: outside('a request is sent once'),
  sessionPersistence: outside('an upstream is one address here'),
})

export const httpRouteSchema: v.GenericSchema<unknown, HttpRoute> = v.object({
  apiVersion: v.literal('gateway.networking.k8s.io/v1'),
  kind: v.literal('HTTPRoute'),
  metadata: metadataSchema,
  spec: v.object({
    parentRefs: v.exactOptional(
      described(v.array(parentRef), { about: 'The Gateways the route is for.' }),
    ),
    hostnames: v.exactOptional(
      described(v.array(hostname), {
        about:
          'Hosts the route is for. `*.example.com` is every host below `example.com`, not itself.',
        default: 'every host',
      }),
    ),
    rules: described(v.pipe(v.array(rule), v.minLength(1, 'expected at least one rule')), {
      about: 'What goes where. Which rule wins: see "How a request finds its rule".',
    }),
    useDefaultGateways: outside('leave parentRefs out; the default Gateway takes every route'),
  }),
  status: v.exactOptional(
    described(v.unknown(), { noEffect: 'a cluster writes it; there is none here' }),
  ),
})
