/**
 * The kinds of resource Postern reads, as a table: what is written at the top of a document, and the
 * schema of the rest. A new kind is a new file and a new row.
 */
import type * as v from 'valibot'
import { doc } from './doc.ts'
import { envoyExtensionPolicySchema } from './envoy-extension-policy.ts'
import type { EnvoyExtensionPolicy } from './envoy-extension-policy.ts'
import { gatewaySchema } from './gateway.ts'
import type { Gateway } from './gateway.ts'
import { httpRouteSchema } from './http-route.ts'
import type { HttpRoute } from './http-route.ts'
import { pluginPolicySchema } from './plugin-policy.ts'
import type { PluginPolicy } from './plugin-policy.ts'
import { pluginRolloutSchema } from './plugin-rollout.ts'
import type { PluginRollout } from './plugin-rollout.ts'
import { trafficExtensionSchema } from './traffic-extension.ts'
import type { TrafficExtension } from './traffic-extension.ts'
import { upstreamSchema } from './upstream.ts'
import type { Upstream } from './upstream.ts'
import { wasmPluginSchema } from './wasm-plugin.ts'
import type { WasmPlugin } from './wasm-plugin.ts'

/** The kinds that declare plugins. */
export type PluginResource = WasmPlugin | TrafficExtension | EnvoyExtensionPolicy

export type Resource =
  | Gateway
  | HttpRoute
  | PluginResource
  | PluginPolicy
  | PluginRollout
  | Upstream

export interface Kind {
  readonly apiVersion: string
  readonly kind: Resource['kind']
  readonly about: string | undefined
  readonly schema: v.GenericSchema<unknown, Resource>
}

export const KINDS: readonly Kind[] = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    about: doc('The hosts that requests are taken for.'),
    schema: gatewaySchema,
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    about: doc('Which requests go to which upstream.'),
    schema: httpRouteSchema,
  },
  {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    about: doc('A configured use of a module.'),
    schema: wasmPluginSchema,
  },
  {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'TrafficExtension',
    about: doc('A WasmPlugin as Istio writes it since 1.30.'),
    schema: trafficExtensionSchema,
  },
  {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'EnvoyExtensionPolicy',
    about: doc('Plugins of a Gateway or a route, as Envoy Gateway writes them.'),
    schema: envoyExtensionPolicySchema,
  },
  {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'PluginPolicy',
    about: doc('What Postern adds to a plugin: mode, limits, permissions, its vm.'),
    schema: pluginPolicySchema,
  },
  {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'PluginRollout',
    about: doc('Another version of a plugin, and how it goes out: to whom, in which steps.'),
    schema: pluginRolloutSchema,
  },
  {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'Upstream',
    about: doc('Where requests and the calls of plugins may go.'),
    schema: upstreamSchema,
  },
]
