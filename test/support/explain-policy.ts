/** A policy with something of everything that an explanation tells of. */
import { pluginPolicy, probe, route, upstream, wasmPlugin } from './policy.ts'

/** A route of one host with a condition on a header. */
const BETA = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'beta' },
  spec: {
    hostnames: ['shop.example'],
    rules: [
      {
        matches: [
          {
            path: { type: 'PathPrefix', value: '/api' },
            headers: [{ name: 'x-beta', value: 'yes' }],
          },
          { path: { type: 'Exact', value: '/api/old' }, method: 'POST' },
        ],
        backendRefs: [
          { group: 'postern.dev', kind: 'Upstream', name: 'origin', weight: 3 },
          { group: 'postern.dev', kind: 'Upstream', name: 'other', weight: 1 },
        ],
      },
    ],
  },
}

/** Rules that do more than sending a request on, on a host of their own. */
const RULES = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'rules' },
  spec: {
    hostnames: ['rules.example'],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/frail' } }],
        filters: [
          {
            type: 'RequestHeaderModifier',
            requestHeaderModifier: { set: [{ name: 'x-api-key', value: 'k3y-of-the-upstream' }] },
          },
          {
            type: 'URLRewrite',
            urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/v2' } },
          },
        ],
        backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: 'frail' }],
      },
      {
        matches: [{ path: { type: 'Exact', value: '/moved' } }],
        filters: [
          {
            type: 'RequestRedirect',
            requestRedirect: { hostname: 'new.example', statusCode: 301 },
          },
        ],
      },
    ],
  },
}

/** @param url - of the origin behind all upstreams */
export const explainPolicy = (url: string): object[] => [
  upstream('origin', { url }),
  upstream('other', { url }),
  upstream('frail', { url, outlierDetection: { consecutive5xxErrors: 1, baseEjectionMs: 60_000 } }),
  upstream('authz', { url: `${url}/authz` }),
  route('all', '/', 'origin'),
  BETA,
  RULES,
  probe(
    'headers',
    {
      request_headers: [
        { call: 'add_header', name: 'x-new', value: 'a' },
        { call: 'set_header', name: 'authorization', value: 'Bearer upstream-s3cret' },
        { call: 'remove_header', name: 'x-drop' },
        { call: 'log', level: 2, message: 'sent with Bearer upstream-s3cret' },
      ],
      response_headers: [{ call: 'set_header', name: 'x-done', value: 'yes' }],
    },
    { priority: 10 },
  ),
  probe('body', { request_body: [{ call: 'set_body', value: 'short' }] }, { priority: 5 }, [
    'beta',
  ]),
  probe('gate', {
    request_headers: [
      {
        call: 'local_reply',
        status: 403,
        body: 'no',
        headers: [['content-type', 'text/plain']],
        if: { header: 'x-bad' },
      },
    ],
  }),
  probe(
    'authz',
    {
      request_headers: [
        {
          call: 'http_call',
          upstream: 'authz',
          headers: [
            [':method', 'GET'],
            [':path', '/check'],
            [':authority', 'authz'],
          ],
        },
        { call: 'return', action: 1 },
      ],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'add_header', map: 'request', name: 'x-checked', value: 'yes' },
        { call: 'continue_request' },
      ],
    },
    {},
    ['beta'],
  ),
  wasmPlugin(
    'elsewhere',
    'oci://fixtures/probe:0.2.1',
    {},
    { selector: { matchLabels: { store: '007' } } },
  ),
  wasmPlugin('once', 'oci://fixtures/probe:0.2.1', {}),
  pluginPolicy('once', { singleton: true }),
]
