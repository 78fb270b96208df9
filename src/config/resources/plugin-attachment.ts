/**
 * The fields of Istio's extension kinds that say where a plugin runs: on which nodes, for which routes
 * and ports, at which place of the chain. WasmPlugin and TrafficExtension have them in common.
 */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { choice, described, namespaceName, outside, resourceName, whole } from './fields.ts'
import type { OptionalField } from './fields.ts'

export interface PluginTargetRef {
  readonly group: 'gateway.networking.k8s.io'
  readonly kind: 'Gateway' | 'HTTPRoute'
  readonly name: string
  readonly namespace?: string
}

export const MODES = ['UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER'] as const

export interface TrafficSelector {
  readonly mode?: (typeof MODES)[number]
  readonly ports?: readonly { readonly number: number }[]
}

export interface PluginAttachment {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> }
  readonly targetRefs?: readonly PluginTargetRef[]
  readonly targetRef?: PluginTargetRef
  readonly match?: readonly TrafficSelector[]
  readonly priority?: number
}

const label = v.pipe(
  v.string(),
  v.check((text) => !text.includes('*'), 'expected a whole label; wildcards select nothing'),
)

const ROUTE_TO_IT = 'write the HTTPRoute that leads to it'

export const targetRef: v.GenericSchema<PluginTargetRef> = v.object({
  group: choice(['gateway.networking.k8s.io'], {
    about: doc('The group of both kinds.'),
    outsideValues: { '': ROUTE_TO_IT, core: ROUTE_TO_IT, 'networking.istio.io': ROUTE_TO_IT },
  }),
  kind: choice(['Gateway', 'HTTPRoute'], {
    about: doc(
      '`HTTPRoute`: the plugin runs on that route alone. `Gateway`: on the routes attached to it, and on its requests that match none.',
    ),
    outsideValues: {
      GatewayClass: 'write Gateway, or leave targetRefs out',
      Service: ROUTE_TO_IT,
      ServiceEntry: ROUTE_TO_IT,
    },
  }),
  name: described(resourceName, { about: doc('The Gateway or HTTPRoute.') }),
  namespace: v.exactOptional(
    described(namespaceName, {
      about: doc("Must be the plugin's own."),
      default: doc("the plugin's"),
    }),
  ),
  sectionName: outside('a plugin is for a whole route'),
})

const trafficSelector = v.object({
  mode: v.exactOptional(
    choice(MODES, {
      about: doc(
        'A gateway is the `CLIENT` of what it routes to. `SERVER` is the side of a workload and never holds here, which is warned about.',
      ),
      default: doc('CLIENT_AND_SERVER'),
    }),
  ),
  ports: v.exactOptional(
    described(
      v.array(
        v.object({
          number: described(whole(1, 65_535), {
            about: doc(
              'A port of a listener. The default Gateway takes every port: there it is that of the URL, or 443 for https and 80 for http.',
            ),
          }),
        }),
      ),
      { about: doc('Holds for these ports alone.'), default: doc('every port') },
    ),
  ),
})

/** Members of `spec` that both kinds have; `phase` differs in its words. */
export const attachmentFields: {
  readonly selector: OptionalField<NonNullable<PluginAttachment['selector']>>
  readonly targetRefs: OptionalField<readonly PluginTargetRef[]>
  readonly targetRef: OptionalField<PluginTargetRef>
  readonly match: OptionalField<readonly TrafficSelector[]>
  readonly priority: OptionalField<number>
} = {
  selector: v.exactOptional(
    v.object({
      matchLabels: v.exactOptional(
        described(v.record(label, label), {
          about: doc(
            'The plugin runs on nodes that have all of these labels (`NODE_LABELS`; every node is `istio: ingressgateway` unless that says otherwise).',
          ),
          default: doc('every node'),
        }),
      ),
    }),
  ),
  targetRefs: v.exactOptional(
    described(v.pipe(v.array(targetRef), v.maxLength(16, 'expected 16 targets or less')), {
      about: doc('What the plugin is for; not together with `selector`.'),
      default: doc('the routes of its namespace (see "What a plugin is for")'),
    }),
  ),
  targetRef: v.exactOptional(
    described(targetRef, {
      about: doc('The same as `targetRefs` with one entry; the older of the two.'),
    }),
  ),
  match: v.exactOptional(
    described(v.array(trafficSelector), {
      about: doc('The requests the plugin sees, of those it is for: any of the entries must hold.'),
      default: doc('all of them'),
    }),
  ),
  priority: v.exactOptional(
    described(whole(-(2 ** 31), 2 ** 31 - 1), {
      about: doc(
        'Within a phase the higher runs first; ties go by creationTimestamp, then name, then namespace.',
      ),
      default: doc('0'),
    }),
  ),
}

export const ONE_WAY = 'expected one of selector, targetRefs and targetRef'

/** Istio takes one way to say what a plugin is for. */
export function oneWayToSelect({ selector, targetRefs, targetRef }: PluginAttachment): boolean {
  return [selector, targetRefs, targetRef].filter((way) => way !== undefined).length <= 1
}
