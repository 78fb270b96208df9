/** The fields of HTTPRoute and Gateway: what is accepted, and what is refused by name. */
import { describe, expect, it } from 'vitest'
import { formatPath } from '../problem.ts'
import { route } from '../testing/resources.ts'
import { checkResource } from './check-resource.ts'

/** `code path: message` of every problem. */
function problems(value: unknown): string[] {
  return checkResource(value).problems.map(
    ({ code, path, message }) => `${code} ${formatPath(path)}: ${message}`,
  )
}

const withRule = (rule: object): unknown => ({ ...route('r'), spec: { rules: [rule] } })
const backendRefs = [{ name: 'shop', port: 80 }]
const filter = (type: string, member: object): object => {
  const name = type === 'URLRewrite' ? 'urlRewrite' : type.slice(0, 1).toLowerCase() + type.slice(1)
  return { filters: [{ type, [name]: member }], backendRefs }
}

describe('a rule may have', () => {
  it.each([
    ['nothing', {}],
    ['no backends', { backendRefs: [] }],
    [
      'weights',
      {
        backendRefs: [
          { name: 'a', port: 1, weight: 0 },
          { name: 'b', port: 1, weight: 9 },
        ],
      },
    ],
    ['a name', { name: 'all', backendRefs }],
    [
      'regular expressions',
      {
        matches: [
          {
            path: { type: 'RegularExpression', value: '.*\\.png' },
            headers: [{ type: 'RegularExpression', name: 'x', value: 'a|b' }],
            queryParams: [{ type: 'RegularExpression', name: 'q', value: '[0-9]+' }],
          },
        ],
        backendRefs,
      },
    ],
    ['query parameters', { matches: [{ queryParams: [{ name: 'Q', value: '' }] }], backendRefs }],
    [
      'request headers edited',
      filter('RequestHeaderModifier', {
        set: [{ name: 'X-A', value: '1' }],
        add: [{ name: 'x-b', value: '2' }],
        remove: ['x-c'],
      }),
    ],
    ['response headers edited', filter('ResponseHeaderModifier', { remove: ['server'] })],
    [
      'a redirect',
      filter('RequestRedirect', {
        scheme: 'https',
        hostname: 'a.test',
        port: 443,
        statusCode: 308,
        path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '' },
      }),
    ],
    [
      'a rewrite',
      filter('URLRewrite', {
        hostname: 'a.test',
        path: { type: 'ReplaceFullPath', replaceFullPath: '/x' },
      }),
    ],
    ['a mirror', filter('RequestMirror', { backendRef: { name: 'b', port: 80 }, percent: 5 })],
    [
      'a mirror of a fraction',
      filter('RequestMirror', { backendRef: { name: 'b', port: 80 }, fraction: { numerator: 1 } }),
    ],
    [
      'headers edited for a backend',
      {
        backendRefs: [
          {
            name: 'shop',
            port: 80,
            filters: [
              { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x'] } },
              { type: 'ResponseHeaderModifier', responseHeaderModifier: {} },
            ],
          },
        ],
      },
    ],
    ['timeouts', { timeouts: { request: '1h2m3s4ms', backendRequest: '0s' }, backendRefs }],
    ['retries', { retry: { codes: [500, 503], attempts: 3, backoff: '100ms' }, backendRefs }],
    ['retries as they come', { retry: {}, backendRefs }],
  ])('%s', (_what, rule) => expect(problems(withRule(rule))).toEqual([]))
})

describe('a rule is refused with', () => {
  it.each([
    ['sessionPersistence', { sessionPersistence: {}, backendRefs }, 'rules[0].sessionPersistence'],
    ['CORS', { filters: [{ type: 'CORS' }] }, 'filters[0].type: "CORS" is outside'],
    ['cors', { filters: [{ type: 'CORS', cors: {} }] }, 'filters[0].cors: "cors" is outside'],
    ['ExternalAuth', { filters: [{ type: 'ExternalAuth' }] }, '"ExternalAuth" is outside'],
    [
      'ExtensionRef',
      { filters: [{ type: 'ExtensionRef', extensionRef: {} }] },
      '"ExtensionRef" is outside the supported subset: write a WasmPlugin',
    ],
    ['another filter', { filters: [{ type: 'Rewrite' }] }, 'expected one of RequestHeaderModifier'],
    [
      'a filter member that is misspelt',
      { filters: [{ type: 'URLRewrite', urlrewrite: {} }] },
      'there is no field "urlrewrite"; did you mean "urlRewrite"?',
    ],
    [
      'a mirror on a backend',
      { backendRefs: [{ name: 'a', port: 1, filters: [{ type: 'RequestMirror' }] }] },
      'backendRefs[0].filters[0].type: "RequestMirror" is outside the supported subset: write it on the rule',
    ],
    [
      'a weight below 0',
      { backendRefs: [{ name: 'a', port: 1, weight: -1 }] },
      'expected a whole number from 0 to 1000000',
    ],
    [
      'another status',
      filter('RequestRedirect', { statusCode: 304 }),
      'expected one of 301, 302, 303, 307, 308',
    ],
    ['another scheme', filter('RequestRedirect', { scheme: 'ftp' }), 'expected one of http, https'],
    [
      'a wildcard to go to',
      filter('URLRewrite', { hostname: '*.a.test' }),
      'expected a host name in lower case without port and wildcard',
    ],
    [
      'a new path with a query',
      filter('URLRewrite', { path: { type: 'ReplaceFullPath', replaceFullPath: '/a?b' } }),
      'expected a path that starts with "/", without "?" and "#"',
    ],
    [
      'a line break in a header',
      filter('RequestHeaderModifier', { set: [{ name: 'x', value: 'a\r\nb' }] }),
      'without line breaks',
    ],
    [
      'a header name with spaces',
      filter('RequestHeaderModifier', { remove: ['a b'] }),
      'expected the name of a header',
    ],
    [
      'a duration without unit',
      { timeouts: { request: '10' }, backendRefs },
      'expected a duration',
    ],
    ['a duration of a number', { timeouts: { request: 10 }, backendRefs }, 'put it in quotes'],
    [
      'a fraction of a second',
      { timeouts: { request: '1.5s' }, backendRefs },
      'expected a duration',
    ],
    ['a status that is none', { retry: { codes: [200] }, backendRefs }, 'from 400 to 599'],
    ['endless retries', { retry: { attempts: 1000 }, backendRefs }, 'from 0 to 10'],
    [
      'an exact path that is relative',
      { matches: [{ path: { type: 'Exact', value: 'a' } }], backendRefs },
      'matches[0].path.value: expected a path that starts with "/"',
    ],
    [
      'a method in lower case',
      { matches: [{ method: 'get' }], backendRefs },
      'expected one of GET, HEAD',
    ],
  ])('%s', (_what, rule, expected) => {
    const found = problems(withRule(rule))
    expect(found.join('\n')).toContain(expected)
    expect(checkResource(withRule(rule)).resource).toBeUndefined()
  })
})

const gateway = (listener: object, spec: object = {}): unknown => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'edge', labels: { tier: 'edge' } },
  spec: { listeners: [{ name: 'http', port: 80, protocol: 'HTTP', ...listener }], ...spec },
})

describe('a Gateway', () => {
  it('may have hosts, ports, protocols and allowed routes', () => {
    const allowedRoutes = { namespaces: { from: 'All' }, kinds: [{ kind: 'HTTPRoute' }] }
    expect(problems(gateway({ hostname: '*.a.test', protocol: 'HTTPS', allowedRoutes }))).toEqual(
      [],
    )
  })

  it('is warned of what is set where it is deployed', () => {
    const found = checkResource(
      gateway({ tls: { mode: 'Terminate' } }, { gatewayClassName: 'istio', addresses: [] }),
    )
    expect(found.resource).toBeDefined()
    expect(found.problems.map(({ severity, path }) => [severity, formatPath(path)])).toEqual([
      ['warning', 'spec.listeners[0].tls'],
      ['warning', 'spec.gatewayClassName'],
      ['warning', 'spec.addresses'],
    ])
  })

  it.each([
    ['no listeners', { spec: { listeners: [] } }, 'expected at least one listener'],
    ['TCP', gateway({ protocol: 'TCP' }), '"TCP" is outside the supported subset: a Worker sees'],
    ['another protocol', gateway({ protocol: 'QUIC' }), 'expected one of HTTP, HTTPS'],
    ['no port', gateway({ port: undefined }), 'port'],
    ['an address as host', gateway({ hostname: 'A.test' }), 'expected a host name in lower case'],
    [
      'a selector',
      gateway({ allowedRoutes: { namespaces: { from: 'Selector', selector: {} } } }),
      '"Selector" is outside',
    ],
    ['other listeners', gateway({}, { allowedListeners: {} }), '"allowedListeners" is outside'],
  ])('is refused with %s', (_what, value, expected) => {
    const resource = { ...(gateway({}) as object), ...(value as object) }
    expect(problems(resource).join('\n')).toContain(expected)
    expect(checkResource(resource).resource).toBeUndefined()
  })
})
