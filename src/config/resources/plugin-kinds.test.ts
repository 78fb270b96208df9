/** The kinds that declare plugins: every field accepted, and how what is not is refused. */
import { describe, expect, it } from 'vitest'
import { formatPath } from '../problem.ts'
import { envoyPolicy, extension, plugin, policy, sha } from '../testing/resources.ts'
import { checkResource } from './check-resource.ts'

/** `code path: message` of every problem. */
function problems(value: unknown): string[] {
  return checkResource(value).problems.map(
    ({ code, path, message }) => `${code} ${formatPath(path)}: ${message}`,
  )
}

const group = 'gateway.networking.k8s.io'
const wasm = {
  url: 'oci://private-registry:5000/openid-connect/openid:latest',
  sha256: sha('1'),
  failStrategy: 'FAIL_RELOAD',
  pluginName: 'openid',
  pluginConfig: { openid_server: 'authn', nested: [{ a: null }] },
  vmConfig: {
    env: [
      { name: 'POD_NAME', valueFrom: 'HOST' },
      { name: 'TRUST_DOMAIN', value: 'cluster.local', valueFrom: 'INLINE' },
      { name: 'EMPTY' },
    ],
  },
  type: 'HTTP',
} as const
const where = {
  selector: { matchLabels: { istio: 'ingressgateway' } },
  phase: 'AUTHN',
  priority: -(2 ** 31),
  match: [{ mode: 'CLIENT', ports: [{ number: 8080 }, { number: 443 }] }, { mode: 'UNDEFINED' }],
} as const
const toRoute = { group, kind: 'HTTPRoute', name: 'r' } as const
const toGateway = { group, kind: 'Gateway', name: 'g', namespace: 'default' } as const

describe('what is accepted', () => {
  it.each([
    ['a WasmPlugin with every field', plugin('p', { ...wasm, ...where })],
    ['targetRefs', plugin('p', { targetRefs: [toRoute, toGateway] })],
    ['targetRef', plugin('p', { targetRef: toRoute })],
    ['a url without a scheme', plugin('p', { url: 'registry:5000/a/b:1' })],
    ['an empty sha256', plugin('p', { sha256: '' })],
    ['a TrafficExtension with every field', extension('x', { ...where, wasm })],
    [
      "a TrafficExtension's own words",
      extension('x', { phase: 'EXECUTION_PHASE_STATS', wasm: { url: 'https://a.test/a.wasm' } }),
    ],
    [
      'an EnvoyExtensionPolicy with every field',
      envoyPolicy('x', {
        targetRefs: [toRoute, { group, kind: 'Gateway', name: 'g' }],
        wasm: [
          {
            name: 'first',
            rootID: 'root',
            code: { type: 'Image', image: { url: 'docker.io/a/b:1', sha256: sha('1') } },
            config: ['any', 'JSON'],
            failOpen: true,
            env: { hostKeys: ['TOKEN'] },
          },
          { code: { type: 'HTTP', http: { url: 'https://a.test/a.wasm', sha256: sha('2') } } },
        ],
      }),
    ],
    ['one without plugins', envoyPolicy('x', { targetRef: toRoute })],
  ])('%s, as it is', (_what, resource) => {
    expect(checkResource(resource)).toEqual({ resource, problems: [] })
  })

  it('a $schema for editors, which is no part of the resource', () => {
    const resource = plugin('p')
    const read = { $schema: './schemas/wasm-plugin.json', ...resource }
    expect(checkResource(read)).toEqual({ resource, problems: [] })
  })

  it.each([null, '2024-05-01T10:00:00Z', '2024-05-01T10:00:00.25+02:00'])(
    'a creationTimestamp of %s',
    (creationTimestamp) => {
      const read = { ...plugin('p'), metadata: { name: 'p', creationTimestamp } }
      expect(checkResource(read)).toEqual({ resource: read, problems: [] })
    },
  )

  it('what pulls an image, with a warning that says what is done instead', () => {
    const pulling = { imagePullPolicy: 'Always', imagePullSecret: 'pull' }
    const image = { url: 'a/b:1', pullSecretRef: { name: 'pull' } }
    const policy = envoyPolicy('x', {
      targetRef: toRoute,
      wasm: [{ code: { type: 'Image', image, pullPolicy: 'Always' } as never }],
    })
    for (const [resource, paths] of [
      [plugin('p', pulling as object), ['spec.imagePullPolicy', 'spec.imagePullSecret']],
      [
        extension('x', { wasm: { url: 'a/b:1', ...pulling } }),
        ['spec.wasm.imagePullPolicy', 'spec.wasm.imagePullSecret'],
      ],
      [policy, ['spec.wasm[0].code.image.pullSecretRef', 'spec.wasm[0].code.pullPolicy']],
    ] as const) {
      const checked = checkResource(resource)
      expect(checked.resource).toBeDefined()
      const found = problems(resource)
      expect(found.map((line) => line.split(':')[0])).toEqual(
        paths.map((path) => `config.no_effect ${path}`),
      )
      for (const line of found) expect(line).toContain('`postern add` brings them in')
    }
  })
})

describe('what is refused', () => {
  const oneWay = 'config.invalid spec: expected one of selector, targetRefs and targetRef'
  it.each([
    ['selector beside targetRefs', { selector: {}, targetRefs: [] }, oneWay],
    ['selector beside targetRef', { selector: {}, targetRef: toRoute }, oneWay],
    ['targetRef beside targetRefs', { targetRef: toRoute, targetRefs: [] }, oneWay],
    [
      'a wildcard as a label',
      { selector: { matchLabels: { app: '*' } } },
      'spec.selector.matchLabels.app: expected a whole label',
    ],
    [
      'a number as a label',
      { selector: { matchLabels: { app: 1 } } },
      'spec.selector.matchLabels.app: expected a string, got a number; put it in quotes',
    ],
    [
      'labels that are no matchLabels',
      { selector: { labels: {} } },
      'config.unknown_field spec.selector.labels: there is no field "labels"; known here: matchLabels',
    ],
    ['another phase', { phase: 'LATE' }, 'spec.phase: expected one of AUTHN, AUTHZ, STATS'],
    ['half a priority', { priority: 0.5 }, 'spec.priority: expected a whole number from'],
    ['a priority beyond int32', { priority: 2 ** 31 }, 'spec.priority: expected a whole number'],
    ['another mode', { match: [{ mode: 'BOTH' }] }, 'spec.match[0].mode: expected one of UNDEF'],
    ['port 0', { match: [{ ports: [{ number: 0 }] }] }, 'spec.match[0].ports[0].number: expected'],
    ['a port as it is', { match: [{ ports: [80] }] }, 'spec.match[0].ports[0]: expected an object'],
    ['a TCP filter', { type: 'NETWORK' }, '"NETWORK" is outside the supported subset'],
    ['a signature key', { verificationKey: 'k' }, 'signatures of modules are not checked; pin'],
    ['a list as pluginConfig', { pluginConfig: [1] }, 'expected an object, got a list'],
    ['a short sha256', { sha256: 'abc' }, 'spec.sha256: expected 64 lower-case hex digits'],
    ['another scheme', { url: 'ftp://a/b.wasm' }, 'spec.url: expected oci://…, https://…'],
    ['no url', { url: '' }, 'spec.url: expected oci://…, https://…'],
    ['an empty pluginName', { pluginName: '' }, 'spec.pluginName: expected a name'],
    ['another strategy', { failStrategy: 'FAIL' }, 'spec.failStrategy: expected one of FAIL_CLOSE'],
    [
      'a value beside HOST',
      { vmConfig: { env: [{ name: 'A', value: 'x', valueFrom: 'HOST' }] } },
      'spec.vmConfig.env[0]: expected no value: with valueFrom HOST it is the node that has it',
    ],
    [
      'another source of a value',
      { vmConfig: { env: [{ name: 'A', valueFrom: 'SECRET' }] } },
      'spec.vmConfig.env[0].valueFrom: expected one of INLINE, HOST, got "SECRET"',
    ],
    [
      'a Service as target',
      { targetRefs: [{ group: '', kind: 'Service', name: 's' }] },
      'write the HTTPRoute that leads to it',
    ],
    [
      'a rule as target',
      { targetRefs: [{ ...toRoute, sectionName: 'x' }] },
      '"sectionName" is outside the supported subset: a plugin is for a whole route',
    ],
  ])('a WasmPlugin with %s', (_what, spec, expected) => {
    const found = problems(plugin('p', spec as object))
    expect(found.length).toBeGreaterThan(0)
    expect(found.join('\n')).toContain(expected)
    expect(checkResource(plugin('p', spec as object)).resource).toBeUndefined()
  })

  it.each([
    ['no wasm', { wasm: undefined }, 'config.invalid spec.wasm: expected an object, got nothing'],
    ['lua', { lua: { inlineCode: '' } }, '"lua" is outside the supported subset: write the filter'],
    [
      'fields of a WasmPlugin',
      { url: 'a/b:1' },
      'config.unknown_field spec.url: there is no field',
    ],
    ['two ways to select', { selector: {}, targetRefs: [] }, oneWay],
  ])('a TrafficExtension with %s', (_what, spec, expected) => {
    const found = problems(extension('x', spec as object))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
  })

  const one = { code: { type: 'HTTP', http: { url: 'https://a.test/a.wasm' } } }
  it.each([
    ['both targets', { targetRefs: [toRoute] }, 'spec: expected one of targetRefs and targetRef'],
    ['no code', { wasm: [{}] }, 'spec.wasm[0].code: "code" is required'],
    [
      'the other code',
      { wasm: [{ code: { type: 'Image', http: { url: 'https://a.test' } } }] },
      'spec.wasm[0].code: expected the member that type names',
    ],
    [
      'a ConfigMap',
      { wasm: [{ code: { type: 'ConfigMap' } }] },
      'bring the module in with `postern add`',
    ],
    ['lua', { lua: [] }, '"lua" is outside'],
    ['extProc', { extProc: [] }, '"extProc" is outside'],
    ['dynamicModule', { dynamicModule: [] }, '"dynamicModule" is outside'],
    ['backends', { backends: [] }, 'declare an Upstream; plugins call it by name or alias'],
    ['mergeType', { mergeType: 'JSONMerge' }, '"mergeType" is outside'],
    ['targetSelectors', { targetSelectors: [] }, '"targetSelectors" is outside'],
    [
      'a TCP route',
      { targetRef: { group, kind: 'TCPRoute', name: 't' } },
      'a Worker sees requests, not streams; write HTTPRoute',
    ],
    ['too many plugins', { wasm: Array.from({ length: 17 }, () => one) }, 'expected 16 entries'],
    ['a misspelt field', { wasm: [{ ...one, rootId: 'r' }] }, 'did you mean "rootID"?'],
  ])('an EnvoyExtensionPolicy with %s', (_what, spec, expected) => {
    const resource = envoyPolicy('x', { targetRef: toRoute, ...(spec as object) })
    expect(checkResource(resource).resource).toBeUndefined()
    expect(problems(resource).join('\n')).toContain(expected)
  })

  it('an EnvoyExtensionPolicy without a target', () => {
    expect(problems(envoyPolicy('x', { wasm: [] }))).toEqual([
      'config.invalid spec: expected one of targetRefs and targetRef',
    ])
  })

  it('a PluginPolicy whose group and kind do not go together', () => {
    const target = {
      group: 'extensions.istio.io',
      kind: 'EnvoyExtensionPolicy',
      name: 'x',
    } as const
    expect(problems(policy('y', 'p', { targetRefs: [target] }))).toEqual([
      'config.invalid spec.targetRefs[0]: expected the group extensions.istio.io, or gateway.envoyproxy.io for an EnvoyExtensionPolicy',
    ])
  })
})
