/**
 * `postern.dev/v1alpha1 Upstream`: where requests and plugins' calls may go. Its name is gateway-wide,
 * as an Envoy cluster's is, because plugins call it by name alone.
 */
import * as v from 'valibot'
import { described, identifier, ignored, outside, whole } from './fields.ts'
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
  }
}

/** Envoy's default for a route. */
export const DEFAULT_TIMEOUT_MS = 15_000

function isOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false
  return url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}

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
            about: 'Where requests go. A path in it is put before the path of each request.',
          },
        ),
      ),
      service: v.exactOptional(
        described(identifier, { about: "The name of one of the Worker's service bindings." }),
      ),
      aliases: v.exactOptional(
        described(v.array(v.pipe(v.string(), v.minLength(1, 'expected a name'))), {
          about:
            'Other names it is found by: Istio cluster names (`outbound|443||api.example.com`), Services (`shop.default:8080`).',
        }),
      ),
      timeoutMs: v.exactOptional(
        described(whole(1, 3_600_000), {
          about: 'Milliseconds until the headers of a response must have come, else 504.',
          default: `${DEFAULT_TIMEOUT_MS}`,
        }),
      ),
      connectTimeoutMs: outside('`timeoutMs` covers connecting'),
      retries: outside('a request is sent once'),
      tls: outside('certificates are checked by the platform'),
    }),
    v.check(
      (spec) => (spec.url === undefined) !== (spec.service === undefined),
      'expected one of url and service',
    ),
  ),
  status: ignored('a cluster writes it; there is none here'),
})
