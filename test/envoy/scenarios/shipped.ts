/** The plugins that Postern ships, as they are. */
import type { Scenario, ScenarioPlugin, ScenarioRequest } from '../scenario.ts'
import { chain } from './steps.ts'

/** sha256 of `secret`. */
const SECRET = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'

const ship = (
  name: string,
  module: string,
  config: Readonly<Record<string, unknown>>,
  requests: readonly ScenarioRequest[] = [{}],
  rest: Omit<Scenario, 'name' | 'plugins'> = {},
): Scenario => chain(`shipped-${name}`, [{ module, config }], { requests, ...rest })

const POLICY: ScenarioPlugin = {
  module: 'header-policy:1.1.0',
  config: {
    request: {
      set: { 'x-store': 'store-042', ':path': '/set' },
      remove: ['x-gone'],
      append: { 'x-list': 'b' },
      add: [{ name: 'x-list', value: 'c' }],
    },
    response: {
      set: { 'x-seen-path': '${request.path}', 'x-agent': '${request.header.user-agent}' },
      add: [
        { name: 'set-cookie', value: 'seen=1' },
        { name: 'set-cookie', value: 'two=2' },
      ],
    },
  },
}
const KEYS = {
  keys: [{ sha256: SECRET, consumer: 'store-042', paths: ['/api/'] }],
  query: 'api_key',
}
const AUTHZ = {
  upstream: '@upstream',
  authority: 'authz',
  copy_to_request: ['x-callee'],
  copy_to_response: ['x-callee'],
}
const CARDS = 'paid by 4111 1111 1111 1111, not 1234567890123'

export const SHIPPED: readonly Scenario[] = [
  chain('shipped-header-policy', [POLICY], {
    requests: [
      {
        path: '/cart?id=7',
        headers: [
          ['user-agent', 'compare'],
          ['x-gone', '1'],
          ['x-list', 'a'],
        ],
      },
    ],
    answer: { headers: [['set-cookie', 'own=0']] },
  }),
  ship('header-policy-1.0.0', 'header-policy:1.0.0', {
    response: { set: { 'x-a': '${request.path}' } },
  }),
  ship('api-key', 'api-key:1.0.0', KEYS, [
    { path: '/api/stock' },
    { path: '/api/stock', headers: [['x-api-key', 'secret']] },
    { path: '/api/stock', headers: [['x-api-key', 'wrong']] },
    { path: '/other', headers: [['x-api-key', 'secret']] },
    { path: '/api/stock?api_key=secret&page=2' },
  ]),
  ship('mask-card-numbers', 'mask-card-numbers:1.0.0', {}, [{}], {
    answer: { headers: [['content-type', 'text/plain']], body: CARDS },
  }),
  ship(
    'mask-card-numbers-in-chunks',
    'mask-card-numbers:1.0.0',
    { direction: 'both' },
    [
      {
        method: 'POST',
        headers: [['content-type', 'text/plain']],
        chunks: ['4111 1111', ' 1111 1111 end'],
      },
    ],
    {
      answer: {
        headers: [['content-type', 'application/json']],
        chunks: ['{"card":"5500-0000', '-0000-0004"}'],
      },
    },
  ),
  ship('remote-authz-allows', 'remote-authz:1.0.0', { ...AUTHZ, path: '/callout/200' }, [
    { path: '/orders', headers: [['authorization', 'Bearer x']] },
  ]),
  ship('remote-authz-denies', 'remote-authz:1.0.0', { ...AUTHZ, path: '/callout/401' }, [
    { path: '/orders' },
  ]),
  ship('remote-authz-times-out', 'remote-authz:1.0.0', {
    ...AUTHZ,
    path: '/callout/silent',
    timeout_ms: 150,
  }),
  ship('remote-authz-refused', 'remote-authz:1.0.0', {
    ...AUTHZ,
    upstream: 'refused',
    path: '/callout/200',
  }),
  ship('remote-authz-reset', 'remote-authz:1.0.0', { ...AUTHZ, path: '/callout/half' }),
  ship('remote-authz-of-an-unknown-upstream', 'remote-authz:1.0.0', {
    ...AUTHZ,
    upstream: 'nobody',
  }),
  ship('request-id', 'request-id:1.0.0', { header: 'x-trace', trust_incoming: true }, [
    { headers: [['x-trace', 'order-7']] },
  ]),
  ship(
    'ab-cookie',
    'ab-cookie:1.0.0',
    {
      experiment: 'checkout',
      variants: [
        { name: 'a', weight: 0 },
        { name: 'b', weight: 1 },
      ],
    },
    [{}, { headers: [['cookie', 'ab_checkout=a']] }, { headers: [['cookie', 'ab_checkout=zzz']] }],
  ),
  chain(
    'shipped-all-in-a-row',
    [
      { module: 'request-id:1.0.0', config: { header: 'x-trace' } },
      { module: 'api-key:1.0.0', config: KEYS },
      POLICY,
      {
        module: 'ab-cookie:1.0.0',
        config: { experiment: 'e', variants: [{ name: 'b', weight: 1 }] },
      },
      { module: 'mask-card-numbers:1.0.0', config: {} },
    ],
    {
      requests: [
        {
          path: '/api/x',
          headers: [
            ['x-api-key', 'secret'],
            ['x-trace', 't-1'],
          ],
        },
        { path: '/api/x', headers: [['x-trace', 't-2']] },
      ],
      answer: { headers: [['content-type', 'text/plain']], body: CARDS },
    },
  ),
  { ...ship('configuration-refused', 'api-key:1.0.0', { keys: [] }), refused: true },
]
