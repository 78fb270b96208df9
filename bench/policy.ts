/** The gateway's side of each row: the plugins, and the resources an operator would write for them. */

export interface BenchPlugin {
  readonly module: string
  readonly config?: object
}

const headers = (request: object, response: object): BenchPlugin => ({
  module: 'header-policy:1.1.0',
  config: { version_header: '', request, response },
})

/** Two edits of the request and two of the response; workers/edits.ts has the same by hand. */
export const ONE: readonly BenchPlugin[] = [
  headers(
    { set: { 'x-store': 'store-042' }, remove: ['x-internal-debug'] },
    { set: { 'x-frame-options': 'DENY' }, remove: ['x-powered-by'] },
  ),
]

export const FIVE: readonly BenchPlugin[] = [
  ...ONE,
  headers(
    { set: { 'x-region': 'eu-central', 'x-tier': 'gold' } },
    {
      set: { 'strict-transport-security': 'max-age=31536000', 'x-content-type-options': 'nosniff' },
    },
  ),
  headers(
    { set: { 'x-channel': 'web' }, remove: ['x-debug-trace'] },
    { set: { 'referrer-policy': 'same-origin' }, remove: ['server'] },
  ),
  headers(
    { set: { 'x-tenant': 'retail', 'cache-control': 'no-store' } },
    { set: { 'x-served-by': 'edge', vary: 'accept-encoding, accept-language' } },
  ),
  headers(
    { set: { 'x-client-kind': 'browser', 'x-experiment': 'b' } },
    { set: { 'permissions-policy': 'camera=()' }, remove: ['x-upstream-node'] },
  ),
]

/** How a version with the same edits goes out. */
export interface BenchRollout {
  readonly mode: 'enforce' | 'shadow'
  /** Per cent of the sessions. */
  readonly weight: number
}

/** @returns resources: one upstream, one route to it, the plugins on it, a rollout of the first */
export function resources(
  plugins: readonly BenchPlugin[],
  upstreamPort: number,
  rollout?: BenchRollout,
): readonly object[] {
  return [
    {
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'Upstream',
      metadata: { name: 'shop' },
      spec: { url: `http://127.0.0.1:${upstreamPort}`, allowPrivate: true },
    },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'shop' },
      spec: {
        rules: [
          {
            matches: [{ path: { type: 'PathPrefix', value: '/' } }],
            backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: 'shop' }],
          },
        ],
      },
    },
    ...plugins.map(({ module, config }, index) => ({
      apiVersion: 'extensions.istio.io/v1alpha1',
      kind: 'WasmPlugin',
      metadata: { name: `plugin-${index}` },
      spec: {
        url: `oci://ghcr.io/postern/${module}`,
        priority: 100 - index,
        ...(config && { pluginConfig: config }),
      },
    })),
    ...(rollout === undefined ? [] : [rolloutOf(plugins[0]?.config, rollout)]),
  ]
}

/** The candidate does what the plugin does: it takes out a header besides that no request has. */
function rolloutOf(
  config: { readonly request?: { readonly remove?: readonly string[] } } = {},
  { mode, weight }: BenchRollout,
): object {
  const remove = [...(config.request?.remove ?? []), 'x-that-nobody-sends']
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'PluginRollout',
    metadata: { name: 'next' },
    spec: {
      targetRef: { group: 'extensions.istio.io', kind: 'WasmPlugin', name: 'plugin-0' },
      candidate: { pluginConfig: { ...config, request: { ...config.request, remove } } },
      mode,
      key: { type: 'cookie', name: 'session' },
      steps: [{ weight, pause: '1h' }],
    },
  }
}
