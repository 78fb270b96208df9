/** The policy of a retailer with 43 plugins, and the release that spoils all of them at once. */

const KEY_SHA256 = '3575eebf6b233a13811bf4503ab80b2cd6db9c53761ea9d17b99782224d3ed4f'
/** The API key whose hash that is. */
export const API_KEY = 'demo-key-store-042'

/** Each has an API of its own, which wants a key. */
export const COUNTRIES = ['at', 'be', 'ch', 'de', 'fr', 'nl'] as const
const STORES = 34

/** What makes a plugin's configuration of what the operator means. */
export type Generator = (settings: object) => object

/** The generator of the release before: it writes what was meant. */
export const generator1: Generator = (settings) => settings

/** The next one puts it into an envelope. No plugin knows that, and each refuses what it does not know. */
export const generator2: Generator = (settings) => ({ format: 2, settings })

/** All resources. @param upstream - where requests go */
export function policy(upstream: string, generate: Generator): object[] {
  const stores = Array.from({ length: STORES }, (_, i) => `store-${`${i + 1}`.padStart(3, '0')}`)
  return [
    {
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'Upstream',
      metadata: { name: 'shop' },
      // it is on this machine
      spec: { url: upstream, allowPrivate: true },
    },
    route('shop', '/'),
    ...COUNTRIES.map((country) => route(`api-${country}`, `/api/${country}`)),
    plugin('request-id', 'request-id', generate({ response: false })),
    plugin('mask-card-numbers', 'mask-card-numbers', generate({ keep_last: 4 })),
    plugin('checkout-test', 'ab-cookie', generate({ experiment: 'checkout', variants: VARIANTS })),
    ...COUNTRIES.map((country) =>
      plugin(`api-key-${country}`, 'api-key', generate({ realm: country, keys: KEYS }), {
        phase: 'AUTHN',
        targetRefs: [
          { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: `api-${country}` },
        ],
      }),
    ),
    ...stores.map((store) =>
      plugin(store, 'header-policy', generate({ response: { set: { [`x-${store}`]: 'open' } } })),
    ),
  ]
}

const VARIANTS = [{ name: 'new', weight: 1 }]
const KEYS = [{ sha256: KEY_SHA256, consumer: 'store-042' }]

function route(name: string, prefix: string): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec: {
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: prefix } }],
          backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: 'shop' }],
        },
      ],
    },
  }
}

function plugin(name: string, module: string, pluginConfig: object, spec: object = {}): object {
  return {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name },
    spec: { url: `oci://ghcr.io/postern/${module}:1.0.0`, pluginConfig, ...spec },
  }
}
