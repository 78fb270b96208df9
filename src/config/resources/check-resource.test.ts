/** Each kind's fields: what is accepted, and how what is not is refused by name. */
import { describe, expect, it } from 'vitest'
import { formatPath } from '../problem.ts'
import { plugin, policy, route, sha, upstream } from '../testing/resources.ts'
import { checkResource } from './check-resource.ts'

/** `code path: message` of every problem. */
function problems(value: unknown): string[] {
  return checkResource(value).problems.map(
    ({ code, path, message }) => `${code} ${formatPath(path)}: ${message}`,
  )
}

/** A resource of a kind with any spec at all. */
const withSpec = (resource: { spec: object }, spec: unknown): unknown => ({ ...resource, spec })

describe('what is accepted', () => {
  it('takes each kind as it is', () => {
    for (const one of [route('r'), plugin('p'), policy('x', 'p'), upstream('u')]) {
      expect(checkResource(one)).toEqual({ resource: one, problems: [] })
    }
  })

  it("takes Istio's example with everything that works here", () => {
    const example = plugin('openid-connect', {
      url: 'oci://private-registry:5000/openid-connect/openid:latest',
      sha256: sha('1'),
      phase: 'AUTHN',
      priority: -5,
      failStrategy: 'FAIL_OPEN',
      pluginName: 'openid',
      pluginConfig: { openid_server: 'authn', nested: [{ a: null }] },
      vmConfig: { env: [{ name: 'TRUST_DOMAIN', value: 'cluster.local' }] },
    })
    expect(checkResource(example).resource).toEqual(example)
  })

  it('warns about what has no effect, and takes the rest', () => {
    const read = {
      ...plugin('p', { imagePullPolicy: 'Always', imagePullSecret: 'pull' } as object),
      metadata: { name: 'p', uid: '1', resourceVersion: '7', labels: { app: 'shop' } },
      status: { conditions: [] },
    }
    const checked = checkResource(read)
    expect(checked.resource?.metadata).toMatchObject({ name: 'p', labels: { app: 'shop' } })
    expect(checked.problems.map((one) => [one.severity, formatPath(one.path)])).toEqual([
      ['warning', 'metadata.uid'],
      ['warning', 'metadata.resourceVersion'],
      ['warning', 'spec.imagePullPolicy'],
      ['warning', 'spec.imagePullSecret'],
      ['warning', 'status'],
    ])
  })

  it('takes a Gateway API route with hosts, paths, methods and headers', () => {
    const rules = [
      {
        matches: [
          { path: { type: 'Exact', value: '/login' }, method: 'POST' },
          { headers: [{ type: 'Exact', name: 'X-Beta', value: '1' }] },
        ],
        backendRefs: [{ name: 'shop', port: 8080, weight: 1 }],
      },
    ] as const
    const spec = { parentRefs: [{ name: 'edge' }], hostnames: ['*.example.com', 'a.test'], rules }
    expect(problems(route('r', spec))).toEqual([])
  })
})

describe('what is refused', () => {
  it('reports everything that is wrong at once', () => {
    const wrong = withSpec(plugin('p'), {
      url: 7,
      priorty: 1,
      phase: 'LATE',
      verificationKey: 'k',
      vmConfig: { env: [{ name: '1X' }] },
    })
    expect(problems(wrong)).toEqual([
      'config.unknown_field spec.priorty: there is no field "priorty"; did you mean "priority"?',
      'config.unsupported spec.verificationKey: "verificationKey" is outside the supported subset: signatures of modules are not checked; pin sha256 instead',
      'config.invalid spec.url: expected a string, got a number; put it in quotes',
      'config.invalid spec.vmConfig.env[0].name: expected letters, digits and "_", not starting with a digit',
      'config.invalid spec.phase: expected one of AUTHN, AUTHZ, STATS, UNSPECIFIED_PHASE, got "LATE"',
    ])
  })

  it('reports every unknown field of an object', () => {
    expect(problems(withSpec(upstream('u'), { url: 'http://u', a: 1, timeout: 2 }))).toEqual([
      'config.unknown_field spec.a: there is no field "a"; known here: url, service, aliases, timeoutMs, retries, outlierDetection, allowedPaths, allowPrivate',
      'config.unknown_field spec.timeout: there is no field "timeout"; did you mean "timeoutMs"?',
    ])
  })

  it.each([
    ['a list', [], 'config.invalid : expected a resource with apiVersion'],
    ['nothing', null, 'config.invalid : expected a resource with apiVersion'],
    ['no kind', { apiVersion: 'v1' }, 'config.unknown_kind kind: expected a kind, one of:'],
    [
      'an unknown kind',
      { ...plugin('p'), kind: 'WasmPlugins' },
      'config.unknown_kind kind: there is no kind "WasmPlugins"; did you mean WasmPlugin?',
    ],
    [
      'a kind outside the subset',
      { ...plugin('p'), kind: 'GatewayClass' },
      'config.unsupported kind: kind GatewayClass is outside the supported subset: leave it out',
    ],
    [
      "a kind of Istio's",
      { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'v' } },
      'config.unsupported kind: kind VirtualService is outside the supported subset: write an HTTPRoute',
    ],
    [
      'another kind of the same name',
      { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata: { name: 'g' } },
      'config.unknown_kind apiVersion: expected apiVersion gateway.networking.k8s.io/v1 for kind Gateway; the Gateway of networking.istio.io/v1 is another kind, with other fields',
    ],
    [
      'another version of a kind',
      { ...route('r'), apiVersion: 'gateway.networking.k8s.io/v1beta1' },
      'config.unknown_kind apiVersion: expected apiVersion gateway.networking.k8s.io/v1 for kind',
    ],
    [
      'no name',
      { ...route('r'), metadata: {} },
      'config.invalid metadata.name: "name" is required',
    ],
    [
      'a name with capitals',
      { ...route('r'), metadata: { name: 'Shop' } },
      'config.invalid metadata.name: expected a name of lower-case letters',
    ],
    [
      'no spec',
      { ...route('r'), spec: undefined },
      'config.invalid spec: expected an object, got nothing',
    ],
    [
      'a list as spec',
      withSpec(upstream('u'), []),
      'config.invalid spec: expected an object, got a list',
    ],
  ])('refuses %s', (_what, value, expected) => {
    expect(checkResource(value).resource).toBeUndefined()
    expect(problems(value)[0]).toContain(expected)
  })

  const backendRefs = [{ name: 'shop', port: 80 }]
  it.each([
    [
      'sessionPersistence',
      { sessionPersistence: {}, backendRefs },
      'spec.rules[0].sessionPersistence: "sessionPersistence" is outside',
    ],
    [
      'a relative path',
      { matches: [{ path: { value: 'shop' } }], backendRefs },
      'spec.rules[0].matches[0].path.value: expected a path that starts with "/"',
    ],
    [
      'a path with dots',
      { matches: [{ path: { value: '/a/../b' } }], backendRefs },
      'spec.rules[0].matches[0].path.value: expected a path without',
    ],
  ])('refuses a route with %s by name', (_what, rule, expected) => {
    const found = problems(withSpec(route('r'), { rules: [rule] }))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
  })

  it.each([
    ['another mode', { mode: 'shadow' }, 'expected one of enforce, log-only, got "shadow"'],
    ['callouts that are neither', { logOnly: { callouts: 'stop' } }, 'expected one of run, block'],
    ['a budget without percent', { failOpenBudget: {} }, '"percent" is required'],
    ['too large a budget', { failOpenBudget: { percent: 101 } }, 'expected a number from 0 to 100'],
    ['half a request', { failOpenBudget: { percent: 1, minimum: 0.5 } }, 'expected a whole number'],
    ['a negative sampling', { decisionLog: { sampling: -1 } }, 'expected a number from 0 to 100'],
    ['a mask with spaces', { decisionLog: { mask: ['x y'] } }, 'expected the name of a header'],
    ['a singleton that is neither', { singleton: 1 }, 'expected'],
    ['a limit nobody enforces', { limits: { fuel: 1 } }, '"fuel" is outside'],
    ['no targets', { targetRefs: [] }, 'expected at least one plugin'],
    ['a limit below zero', { limits: { bodyBytes: -1 } }, 'expected a whole number from 0'],
  ])('refuses a policy with %s', (_what, spec, expected) => {
    const found = problems(policy('x', 'p', spec as object))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
  })

  it.each([
    ['neither url nor service', {}, 'expected one of url and service'],
    ['both', { url: 'http://a', service: 'B' }, 'expected one of url and service'],
    ['a password in its url', { url: 'https://u:p@a' }, 'expected http:// or https://'],
    ['another scheme', { url: 'ftp://a' }, 'expected http:// or https://'],
    ['a query', { url: 'http://a/?q' }, 'expected http:// or https://'],
  ])('refuses an upstream with %s, without repeating it', (_what, spec, expected) => {
    const found = problems(withSpec(upstream('u'), spec))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
    expect(found[0]).not.toContain('u:p')
  })
})
