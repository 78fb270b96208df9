/** Resources for gateway tests, as objects: what a policy file would hold. */

/** Everything to one upstream. */
export function upstreamAndRoute(url: string, name = 'origin'): object[] {
  return [upstream(name, { url }), route('all', '/', name)]
}

/** An upstream: a url or a service binding, and what else it says. Servers of tests are on loopback. */
export function upstream(name: string, spec: object): object {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'Upstream',
    metadata: { name },
    spec: 'url' in spec ? { allowPrivate: true, ...spec } : spec,
  }
}

/** A route of a path prefix to an upstream. */
export function route(name: string, prefix: string, upstream: string): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec: {
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: prefix } }],
          backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: upstream }],
        },
      ],
    },
  }
}

/** A route of any rules. */
export function httpRoute(name: string, rules: readonly object[], spec: object = {}): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec: { rules, ...spec },
  }
}

/** A reference to an upstream, with a weight or filters. */
export function toUpstream(name: string, more: object = {}): object {
  return { group: 'postern.dev', kind: 'Upstream', name, ...more }
}

/** A plugin on the whole Gateway, or on the routes named. */
export function wasmPlugin(
  name: string,
  url: string,
  pluginConfig: object,
  spec: object = {},
  routes: readonly string[] = [],
): object {
  const targetRefs = routes.map((target) => ({
    group: 'gateway.networking.k8s.io',
    kind: 'HTTPRoute',
    name: target,
  }))
  return {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name },
    spec: { url, pluginConfig, ...(targetRefs.length > 0 && { targetRefs }), ...spec },
  }
}

/** A plugin of the shipped header-policy. */
export function headerPolicy(
  version: string,
  pluginConfig: object,
  name = 'header-policy',
): object {
  return wasmPlugin(name, `oci://ghcr.io/postern/header-policy:${version}`, pluginConfig)
}

/** Steps by callback; see test/fixtures/probe/README.md. */
export type ProbeSteps = Readonly<Record<string, readonly unknown[]>>

/** The scriptable guest with these steps. */
export function probe(
  name: string,
  steps: ProbeSteps,
  spec: object = {},
  routes: readonly string[] = [],
  version = '0.2.1',
): object {
  const url = `oci://fixtures/probe:${version}`
  return wasmPlugin(name, url, { steps, quiet: true, quiet_calls: true }, spec, routes)
}

/** The scriptable guest without body callbacks: bodies pass it unread. */
export function headerProbe(name: string, steps: ProbeSteps, spec: object = {}): object {
  return probe(name, steps, spec, [], '0.2.1-headers-only')
}

/** What Postern adds to a plugin. */
export function pluginPolicy(plugin: string, spec: object): object {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'PluginPolicy',
    metadata: { name: plugin },
    spec: {
      targetRefs: [{ group: 'extensions.istio.io', kind: 'WasmPlugin', name: plugin }],
      ...spec,
    },
  }
}
