/**
 * `gateway.networking.k8s.io/v1 Gateway`: the hosts requests are taken for, as listeners that routes
 * attach to. Where a Worker is reached, and with which certificate, is said where it is deployed.
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#gateway
 */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { choice, described, ignored, outside, resourceName, whole } from './fields.ts'
import { hostname } from './hostname.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'

export interface Listener {
  readonly name: string
  readonly hostname?: string
  readonly port: number
  readonly protocol: 'HTTP' | 'HTTPS'
  readonly allowedRoutes?: {
    readonly namespaces?: { readonly from?: 'All' | 'Same' | 'None' }
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[]
  }
}

export interface Gateway {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'Gateway'
  readonly metadata: Metadata
  readonly spec: { readonly listeners: readonly Listener[] }
}

const DEPLOYED = 'where a Worker is reached, and its certificates, are set where it is deployed'
const NO_TCP = 'a Worker sees requests, not connections'

const listener = v.object({
  name: described(resourceName, { about: doc('What `sectionName` of a route calls it.') }),
  hostname: v.exactOptional(
    described(hostname, {
      about: doc('The hosts it takes; a route gets those that are its own as well.'),
      default: doc('every host'),
    }),
  ),
  port: described(whole(1, 65_535), {
    about: doc('Tells listeners of one host apart, together with `protocol`.'),
  }),
  protocol: choice(['HTTP', 'HTTPS'], {
    about: doc(
      'Of listeners of one host the one of the port asked for is taken, else of the scheme.',
    ),
    outsideValues: { TLS: NO_TCP, TCP: NO_TCP, UDP: NO_TCP },
  }),
  tls: ignored(DEPLOYED),
  allowedRoutes: v.exactOptional(
    v.object({
      namespaces: v.exactOptional(
        v.object({
          from: v.exactOptional(
            choice(['All', 'Same', 'None'], {
              about: doc('Whose routes may attach; `Same` is the namespace of the Gateway.'),
              default: doc('Same'),
              outsideValues: { Selector: 'there are no namespaces with labels; write All or Same' },
            }),
          ),
          selector: outside('there are no namespaces with labels; set `from`'),
        }),
      ),
      kinds: v.exactOptional(
        described(
          v.array(
            v.object({
              group: v.exactOptional(
                described(v.string(), {
                  about: doc('Of the kind.'),
                  default: doc('that of HTTPRoute'),
                }),
              ),
              kind: described(v.string(), { about: doc('HTTPRoute, to take routes at all.') }),
            }),
          ),
          { about: doc('Which kinds of route may attach.'), default: doc('HTTPRoute') },
        ),
      ),
    }),
  ),
})

export const gatewaySchema: v.GenericSchema<unknown, Gateway> = v.object({
  apiVersion: v.literal('gateway.networking.k8s.io/v1'),
  kind: v.literal('Gateway'),
  metadata: metadataSchema,
  spec: v.object({
    gatewayClassName: ignored('what reads this is the one class there is'),
    listeners: described(
      v.pipe(v.array(listener), v.minLength(1, 'expected at least one listener')),
      { about: doc('What routes attach to.') },
    ),
    addresses: ignored(DEPLOYED),
    infrastructure: ignored('nothing is created for a Gateway'),
    tls: ignored(DEPLOYED),
    backendTLS: ignored('certificates of upstreams are checked by the platform'),
    allowedListeners: outside('write the listeners into the Gateway'),
    defaultScope: outside('declare a Gateway with the name and namespace `default`'),
  }),
  status: ignored('a cluster writes it; there is none here'),
})
