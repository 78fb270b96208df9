/**
 * `gateway.networking.k8s.io/v1 HTTPRoute`: which requests go to which upstream, and what is changed
 * of them. What of Gateway API's kind does not work here is refused by name.
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#httproute
 */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { backendRef } from './backend-ref.ts'
import type { BackendRef } from './backend-ref.ts'
import { duration } from './duration.ts'
import { choice, described, headerName, namespaceName, outside, whole } from './fields.ts'
import { hostname } from './hostname.ts'
import { httpRouteFilter } from './http-route-filters.ts'
import type { HttpRouteFilter } from './http-route-filters.ts'
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

interface ValueCondition {
  readonly type?: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}

export interface HttpRouteMatch {
  readonly path?: {
    readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'
    readonly value?: string
  }
  readonly method?: string
  readonly headers?: readonly ValueCondition[]
  readonly queryParams?: readonly ValueCondition[]
}

export interface HttpRouteRule {
  readonly name?: string
  readonly matches?: readonly HttpRouteMatch[]
  readonly filters?: readonly HttpRouteFilter[]
  readonly backendRefs?: readonly BackendRef[]
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string }
  readonly retry?: {
    readonly codes?: readonly number[]
    readonly attempts?: number
    readonly backoff?: string
  }
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

const parentRef = v.object({
  group: v.exactOptional(
    described(v.string(), {
      about: doc("The group of the parent's kind."),
      default: doc('gateway.networking.k8s.io'),
    }),
  ),
  kind: v.exactOptional(
    described(v.string(), {
      about: doc('Gateway; a route is for nothing else.'),
      default: doc('Gateway'),
    }),
  ),
  namespace: v.exactOptional(
    described(namespaceName, { about: doc('Where the Gateway is.'), default: doc("the route's") }),
  ),
  name: described(v.string(), {
    about: doc('The Gateway. One that is not there is the default Gateway, with a warning.'),
  }),
  sectionName: v.exactOptional(
    described(v.string(), {
      about: doc('The one listener the route is for.'),
      default: doc('all'),
    }),
  ),
  port: v.exactOptional(
    described(whole(1, 65_535), {
      about: doc('The listeners of that port the route is for.'),
      default: doc('all'),
    }),
  ),
})

/** Gateway API: it starts with "/" and holds nothing that a client could write otherwise. */
function isSound(path: string): boolean {
  return !/\/\/|\/\.\.?(\/|$)|#|\?|%2[fF]/.test(path)
}

const path = v.pipe(
  v.object({
    type: v.exactOptional(
      choice(['Exact', 'PathPrefix', 'RegularExpression'], {
        about: doc(
          "`PathPrefix` compares whole path elements: `/shop` matches `/shop/x`, not `/shopping`. `RegularExpression` is RE2's and covers the whole path.",
        ),
        default: doc('PathPrefix'),
      }),
    ),
    value: v.exactOptional(
      described(v.pipe(v.string(), v.maxLength(1024, 'expected 1,024 characters or less')), {
        about: doc('The path, without query.'),
        default: doc('/'),
      }),
    ),
  }),
  v.forward(
    v.check(
      ({ type, value = '/' }) => type === 'RegularExpression' || value.startsWith('/'),
      'expected a path that starts with "/"',
    ),
    ['value'],
  ),
  v.forward(
    v.check(
      ({ type, value = '/' }) => type === 'RegularExpression' || isSound(value),
      'expected a path without "//", "/./", "/../", "%2f", "?" and "#"',
    ),
    ['value'],
  ),
)

const valueType = v.exactOptional(
  choice(['Exact', 'RegularExpression'], {
    about: doc(
      "How values are compared; a regular expression is RE2's and covers the whole value.",
    ),
    default: doc('Exact'),
  }),
)

/** One condition on path, method, headers and query. */
export const httpRouteMatch: v.GenericSchema<HttpRouteMatch> = v.object({
  path: v.exactOptional(path),
  method: v.exactOptional(
    choice(METHODS, { about: doc('The request method.'), default: doc('any') }),
  ),
  headers: v.exactOptional(
    v.array(
      v.object({
        type: valueType,
        name: described(headerName, { about: doc('Compared without regard to case.') }),
        value: described(v.pipe(v.string(), v.maxLength(4096)), {
          about: doc('The whole value; lines of the same name are joined with ", ".'),
        }),
      }),
    ),
  ),
  queryParams: v.exactOptional(
    v.array(
      v.object({
        type: valueType,
        name: described(v.pipe(v.string(), v.minLength(1, 'expected a name'), v.maxLength(256)), {
          about: doc('Compared as it is, case included.'),
        }),
        value: described(v.pipe(v.string(), v.maxLength(1024)), {
          about: doc('Compared with the decoded value; of several of one name the first counts.'),
        }),
      }),
    ),
  ),
})

const rule = v.object({
  name: v.exactOptional(described(v.string(), { about: doc('For people.') })),
  matches: v.exactOptional(
    described(v.array(httpRouteMatch), {
      about: doc('The rule holds when any of them holds.'),
      default: doc('one that matches every path'),
    }),
  ),
  filters: v.exactOptional(
    described(v.array(httpRouteFilter), {
      about: doc(
        'What is changed behind the plugins of a request, before those of its response. Each type at most once, RequestMirror aside.',
      ),
    }),
  ),
  backendRefs: v.exactOptional(
    described(v.array(backendRef), {
      about: doc(
        'Where requests go, by weight. Without any the answer is 500, unless it redirects.',
      ),
    }),
  ),
  timeouts: v.exactOptional(
    v.object({
      request: v.exactOptional(
        described(duration, {
          about: doc(
            'For the whole exchange, retries and the body of the response included; 0s is no bound.',
          ),
          default: doc('no bound'),
        }),
      ),
      backendRequest: v.exactOptional(
        described(duration, {
          about: doc(
            'For one attempt, until the headers of the response have come; 0s is no bound.',
          ),
          default: doc('`timeoutMs` of the Upstream'),
        }),
      ),
    }),
  ),
  retry: v.exactOptional(
    v.object({
      codes: v.exactOptional(
        described(v.array(whole(400, 599)), {
          about: doc('Statuses after which a request is sent again.'),
          default: doc('none'),
        }),
      ),
      attempts: v.exactOptional(
        described(whole(0, 10), {
          about: doc(
            'How often it is sent again at most: after those statuses, and when a connection fails or an attempt times out. A request whose body streams is sent once.',
          ),
          default: doc('1'),
        }),
      ),
      backoff: v.exactOptional(
        described(duration, {
          about: doc('The least time before the first retry; it doubles with each.'),
          default: doc('25ms'),
        }),
      ),
    }),
  ),
  sessionPersistence: outside('an upstream is one address here'),
})

export const httpRouteSchema: v.GenericSchema<unknown, HttpRoute> = v.object({
  apiVersion: v.literal('gateway.networking.k8s.io/v1'),
  kind: v.literal('HTTPRoute'),
  metadata: metadataSchema,
  spec: v.object({
    parentRefs: v.exactOptional(
      described(v.array(parentRef), {
        about: doc('The Gateways the route is for.'),
        default: doc('the default Gateway'),
      }),
    ),
    hostnames: v.exactOptional(
      described(v.array(hostname), {
        about: doc(
          'Hosts the route is for. `*.example.com` is every host below `example.com`, not itself.',
        ),
        default: doc("the listeners'"),
      }),
    ),
    rules: described(v.pipe(v.array(rule), v.minLength(1, 'expected at least one rule')), {
      about: doc('What goes where. Which rule wins: see "How a request finds its rule".'),
    }),
    useDefaultGateways: outside('leave parentRefs out; then the default Gateway takes the route'),
  }),
  status: v.exactOptional(
    described(v.unknown(), { noEffect: 'a cluster writes it; there is none here' }),
  ),
})
