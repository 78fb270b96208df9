/**
 * `postern.dev/v1alpha1 Upstream`: where requests and plugins' calls may go. Its name is gateway-wide,
 * as an Envoy cluster's is, because plugins call it by name alone.
 */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { described, identifier, ignored, outside, text, whole } from './fields.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'

export interface Upstream {
  readonly apiVersion: 'postern.dev/v1alpha1'
  readonly kind: 'Upstream'
  readonly metadata: Metadata
  readonly spec: {
    /** One of `url` and `service` is set. */
    readonly url?: string
    readonly service?: string
    readonly aliases?: readonly string[]
    readonly timeoutMs?: number
    readonly retries?: {
      readonly attempts?: number
      readonly codes?: readonly number[]
      readonly backoffMs?: number
    }
    readonly outlierDetection?: {
      readonly consecutive5xxErrors?: number
      readonly consecutiveGatewayErrors?: number
      readonly baseEjectionMs?: number
      readonly maxEjectionMs?: number
    }
    readonly allowedPaths?: readonly string[]
    readonly allowPrivate?: boolean
  }
}

/** Envoy's default for a route. */
export const DEFAULT_TIMEOUT_MS = 15_000

/** Envoy's base interval of retries. */
export const DEFAULT_BACKOFF_MS = 25

function isOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false
  return url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}

const retries = v.object({
  attempts: v.exactOptional(
    described(whole(0, 10), {
      about: doc(
        'How often a request is sent again at most. A rule with `retry` decides for itself.',
      ),
      default: doc('1'),
    }),
  ),
  codes: v.exactOptional(
    described(v.array(whole(400, 599)), {
      about: doc('Statuses after which it is, beside failed connections and timeouts.'),
      default: doc('none'),
    }),
  ),
  backoffMs: v.exactOptional(
    described(whole(0, 60_000), {
      about: doc('The least time before the first retry; it doubles with each.'),
      default: doc('25'),
    }),
  ),
})

const outlierDetection = v.object({
  consecutive5xxErrors: v.exactOptional(
    described(whole(0, 100_000), {
      about: doc(
        'After so many failures in a row (500 and above, or no answer) it is left alone; 0: never.',
      ),
      default: doc('5'),
    }),
  ),
  consecutiveGatewayErrors: v.exactOptional(
    described(whole(0, 100_000), {
      about: doc('The same for 502, 503, 504 and no answer alone; 0: never.'),
      default: doc('0'),
    }),
  ),
  baseEjectionMs: v.exactOptional(
    described(whole(1, 3_600_000), {
      about: doc(
        'How long it is left alone the first time; the n-th time in a row n times as long.',
      ),
      default: doc('30000'),
    }),
  ),
  maxEjectionMs: v.exactOptional(
    described(whole(1, 86_400_000), {
      about: doc('The longest it is left alone.'),
      default: doc('300000'),
    }),
  ),
})

/** As paths are compared: no query, no trailing slash needed, nothing that could be read in two ways. */
const allowedPath = text(
  /^\/(?!.*(?:\/\/|\/\.{1,2}(?:\/|$)|%2[eEfF]|%5[cC]|[\\?#])).{0,1023}$/,
  'a path that starts with "/", without "//", "/./", "/../", encoded dots or slashes, "?" and "#"',
)

export const upstreamSchema: v.GenericSchema<unknown, Upstream> = v.object({
  apiVersion: v.literal('postern.dev/v1alpha1'),
  kind: v.literal('Upstream'),
  metadata: metadataSchema,
  spec: v.pipe(
    v.object({
      url: v.exactOptional(
        described(
          v.pipe(
            v.string(),
            v.check(
              isOrigin,
              'expected http:// or https:// with a host, without user, password, query and fragment',
            ),
          ),
          {
            about: doc('Where requests go. A path in it is put before the path of each request.'),
          },
        ),
      ),
      service: v.exactOptional(
        described(identifier, { about: doc("The name of one of the Worker's service bindings.") }),
      ),
      aliases: v.exactOptional(
        described(v.array(v.pipe(v.string(), v.minLength(1, 'expected a name'))), {
          about: doc(
            'Other names it is found by: Istio cluster names (`outbound|443||api.example.com`), Services (`shop.default:8080`).',
          ),
        }),
      ),
      timeoutMs: v.exactOptional(
        described(whole(1, 3_600_000), {
          about: doc('Milliseconds until the headers of a response must have come, else 504.'),
          default: doc(`${DEFAULT_TIMEOUT_MS}`),
        }),
      ),
      retries: v.exactOptional(retries),
      outlierDetection: v.exactOptional(outlierDetection),
      allowedPaths: v.exactOptional(
        described(v.pipe(v.array(allowedPath), v.minLength(1, 'expected at least one path')), {
          about: doc(
            'What may be asked for, by routes and by plugins: these paths and those below them, element by element. Else 403, or a failed call.',
          ),
          default: doc('every path'),
        }),
      ),
      allowPrivate: v.exactOptional(
        described(v.boolean(), {
          about: doc(
            'Lets `url` name an address of a private network, of the machine itself, or of a metadata service.',
          ),
          default: doc('false'),
        }),
      ),
      connectTimeoutMs: outside('`timeoutMs` covers connecting'),
      tls: outside('certificates are checked by the platform'),
    }),
    v.check(
      (spec) => (spec.url === undefined) !== (spec.service === undefined),
      'expected one of url and service',
    ),
  ),
  status: ignored('a cluster writes it; there is none here'),
})
