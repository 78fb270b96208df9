/** Resources that tests begin from: each is complete, and what a test gives replaces the spec's members. */
import type { CatalogModule } from '../compile/module-catalog.ts'
import type { EnvoyExtensionPolicy } from '../resources/envoy-extension-policy.ts'
import type { HttpRoute } from '../resources/http-route.ts'
import type { PluginPolicy } from '../resources/plugin-policy.ts'
import type { PluginRollout } from '../resources/plugin-rollout.ts'
import type { TrafficExtension } from '../resources/traffic-extension.ts'
import type { Upstream } from '../resources/upstream.ts'
import type { WasmPlugin } from '../resources/wasm-plugin.ts'

/** sha256 of nothing in particular: a digit, 64 times. */
export const sha = (digit: string): string => digit.repeat(64)

export const CATALOG: readonly CatalogModule[] = [
  { name: 'header-policy', version: '1.0.0', sha256: sha('a'), urls: [] },
  { name: 'header-policy', version: '1.1.0', sha256: sha('b'), urls: [] },
  {
    name: 'api-key',
    version: '1.0.0',
    sha256: sha('c'),
    urls: ['https://plugins.test/api-key.wasm'],
  },
]

const metadata = (name: string, namespace: string): { name: string; namespace?: string } =>
  namespace === 'default' ? { name } : { name, namespace }

export function upstream(
  name: string,
  spec: Partial<Upstream['spec']> = {},
  namespace = 'default',
): Upstream {
  const url = spec.service === undefined ? { url: `http://${name}.test` } : {}
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'Upstream',
    metadata: metadata(name, namespace),
    spec: { ...url, ...spec },
  }
}

export function route(
  name: string,
  spec: Partial<HttpRoute['spec']> = {},
  namespace = 'default',
): HttpRoute {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: metadata(name, namespace),
    spec: { rules: [{ backendRefs: [toUpstream('shop')] }], ...spec },
  }
}

export function toUpstream(name: string): { group: 'postern.dev'; kind: 'Upstream'; name: string } {
  return { group: 'postern.dev', kind: 'Upstream', name }
}

export function plugin(
  name: string,
  spec: Partial<WasmPlugin['spec']> = {},
  namespace = 'default',
): WasmPlugin {
  return {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: metadata(name, namespace),
    spec: { url: 'oci://registry.test/header-policy:1.0.0', ...spec },
  }
}

export function extension(
  name: string,
  spec: Partial<TrafficExtension['spec']> = {},
  namespace = 'default',
): TrafficExtension {
  return {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'TrafficExtension',
    metadata: metadata(name, namespace),
    spec: { wasm: { url: 'oci://registry.test/header-policy:1.0.0' }, ...spec },
  }
}

export function envoyPolicy(
  name: string,
  spec: EnvoyExtensionPolicy['spec'],
  namespace = 'default',
): EnvoyExtensionPolicy {
  return {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'EnvoyExtensionPolicy',
    metadata: metadata(name, namespace),
    spec,
  }
}

export function policy(
  name: string,
  target: string,
  spec: Partial<PluginPolicy['spec']> = {},
): PluginPolicy {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'PluginPolicy',
    metadata: metadata(name, 'default'),
    spec: {
      targetRefs: [{ group: 'extensions.istio.io', kind: 'WasmPlugin', name: target }],
      ...spec,
    },
  }
}

/** The header policy of that name goes from 1.0.0 to 1.1.0. */
export function rollout(
  name: string,
  target: string,
  spec: Partial<PluginRollout['spec']> = {},
): PluginRollout {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'PluginRollout',
    metadata: metadata(name, 'default'),
    spec: {
      targetRef: { group: 'extensions.istio.io', kind: 'WasmPlugin', name: target },
      candidate: { url: 'oci://registry.test/header-policy:1.1.0' },
      steps: [{ weight: 5, pause: '10m' }],
      ...spec,
    },
  }
}
