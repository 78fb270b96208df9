/**
 * The examples of Istio's reference and tasks, as they are pasted: what each needs, and that it is in
 * the chain once it has that.
 * https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/
 * https://istio.io/latest/docs/tasks/extensibility/wasm-module-distribution/
 */
import { describe, expect, it } from 'vitest'
import type { ModuleCatalog } from '../../src/config/compile/module-catalog.ts'
import type { Snapshot } from '../../src/config/snapshot.ts'
import { type CommandResult, commandLine } from '../support/command-line.ts'
import { inProcessGateway, TOKEN } from '../support/in-process-gateway.ts'
import { ROUTES, sha } from '../support/policy-folder.ts'

const BASIC_AUTH = 'oci://ghcr.io/istio-ecosystem/wasm-extensions/basic_auth:1.12.0'
const OPENID = 'oci://private-registry:5000/openid-connect/openid:latest'
const OPENID_SHA = '1ef0c9a92b0420cf25f7fe5d481b231464bc88f486ca3b9c83ed5cc21d2f6210'

const basicAuth = `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: basic-auth
  namespace: istio-ingress
spec:
  selector:
    matchLabels:
      istio: ingressgateway
  url: ${BASIC_AUTH}
  phase: AUTHN
  pluginConfig:
    basic_auth_rules:
      - prefix: "/productpage"
        request_methods:
          - "GET"
          - "POST"
        credentials:
          - "ok:test"
          - "YWRtaW4zOmFkbWluMw=="
`

/** @param source - what stands in the place of `url` */
const openid = (source: string, more = ''): string => `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: openid-connect
  namespace: istio-ingress
spec:
  selector:
    matchLabels:
      istio: ingressgateway
  ${source}
  phase: AUTHN
  pluginConfig:
    openid_server: authn
    openid_realm: ingress
${more}`

const ordered = (name: string, url: string, where: string): string =>
  openid(`url: ${url}\n  imagePullPolicy: IfNotPresent\n  imagePullSecret: pull-secret`)
    .replace('name: openid-connect', `name: ${name}`)
    .replace('phase: AUTHN', where)

/** The Gateway that the examples are for. */
const INGRESS = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ingress, namespace: istio-ingress }
spec:
  listeners:
    - { name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }
`
const ATTACHED = ROUTES.replace('{ name: edge }', '{ name: ingress, namespace: istio-ingress }')

const bound = (name: string, digit: string, ...urls: readonly string[]) => ({
  name,
  version: '1.0.0',
  sha256: digit.length === 1 ? sha(digit) : digit,
  urls,
})

async function apply(
  files: Readonly<Record<string, string>>,
  catalog: ModuleCatalog,
): Promise<CommandResult & { snapshot: Snapshot | undefined; resources: string | undefined }> {
  const gateway = inProcessGateway(catalog)
  const line = await commandLine(
    { '.dev.vars': `ADMIN_TOKEN="${TOKEN}"\n`, ...files },
    { fetch: gateway.fetch },
  )
  const result = await line.postern('apply', '-f', ...Object.keys(files))
  const [, resources] = [...gateway.values].find(([key]) => key.startsWith('resources.')) ?? []
  return { ...result, snapshot: gateway.running(), resources }
}

const chainOf = (snapshot: Snapshot | undefined): readonly string[] | undefined =>
  snapshot?.routes[0]?.plugins

describe('an example whose module is not there', () => {
  it.each([
    [
      'of an image',
      basicAuth,
      `there is no module basic_auth; known: none. To bring it in run \`postern add FILE.wasm --url ${BASIC_AUTH}\`, then deploy`,
    ],
    [
      'of a file on the proxy',
      openid('url: file:///opt/filters/openid.wasm', `  sha256: ${OPENID_SHA}\n`),
      'run `postern add /opt/filters/openid.wasm --url file:///opt/filters/openid.wasm`, then deploy',
    ],
    [
      'of a download',
      openid('url: https://private-bucket/filters/openid.wasm\n  imagePullPolicy: Always'),
      'run `postern add https://private-bucket/filters/openid.wasm`, then deploy',
    ],
  ])('%s: names the command that brings it in', async (_what, file, expected) => {
    const { exitCode, stderr, snapshot } = await apply({ 'p.yaml': file }, [])
    expect(stderr).toContain(expected)
    expect([exitCode, snapshot]).toEqual([1, undefined])
  })
})

describe('an example with its module and its Gateway', () => {
  const around = { 'gateway.yaml': INGRESS, 'routes.yaml': ATTACHED }

  it('basic-auth: is in the chain, with its configuration', async () => {
    const { exitCode, stderr, snapshot } = await apply({ ...around, 'p.yaml': basicAuth }, [
      bound('basic-auth', 'a', BASIC_AUTH),
    ])
    expect(stderr).not.toContain('warning')
    expect(exitCode).toBe(0)
    expect(chainOf(snapshot)).toEqual(['istio-ingress.basic-auth'])
    const plugin = snapshot?.plugins['istio-ingress.basic-auth']
    expect(plugin).toMatchObject({ phase: 'AUTHN', selector: { istio: 'ingressgateway' } })
    expect(JSON.parse(plugin?.configuration ?? '')).toMatchObject({
      basic_auth_rules: [{ credentials: ['ok:test', 'YWRtaW4zOmFkbWluMw=='] }],
    })
  })

  it.each([
    [
      'a file with its sha256',
      openid('url: file:///opt/filters/openid.wasm', `  sha256: ${OPENID_SHA}\n`),
      bound('openid', OPENID_SHA),
    ],
    [
      'an image',
      openid(`url: ${OPENID}\n  imagePullPolicy: IfNotPresent\n  imagePullSecret: pull-secret`),
      bound('openid', 'a', OPENID),
    ],
    [
      'variables',
      openid(
        `url: ${OPENID}`,
        '  vmConfig:\n    env:\n    - name: POD_NAME\n      valueFrom: HOST\n    - name: TRUST_DOMAIN\n      value: "cluster.local"\n',
      ),
      bound('openid', 'a', OPENID),
    ],
    [
      'a download',
      openid('url: https://private-bucket/filters/openid.wasm\n  imagePullPolicy: Always'),
      bound('openid', 'a', 'https://private-bucket/filters/openid.wasm'),
    ],
  ])('openid-connect with %s: is in the chain', async (_what, file, module) => {
    const { exitCode, snapshot } = await apply({ ...around, 'p.yaml': file }, [module])
    expect(exitCode).toBe(0)
    expect(chainOf(snapshot)).toEqual(['istio-ingress.openid-connect'])
  })

  const three = [
    ordered(
      'check-header',
      'oci://private-registry:5000/check-header:latest',
      'phase: AUTHZ\n  priority: 10',
    ),
    ordered(
      'acl-check',
      'oci://private-registry:5000/acl-check/acl:latest',
      'phase: AUTHZ\n  priority: 1000',
    ),
    ordered('openid-connect', OPENID, 'phase: AUTHN'),
  ]
  const modules = [
    bound('check', 'a', 'oci://private-registry:5000/check-header:latest'),
    bound('acl', 'b', 'oci://private-registry:5000/acl-check/acl:latest'),
    bound('openid', 'c', OPENID),
  ]
  const order = ['openid-connect', 'acl-check', 'check-header'].map(
    (name) => `istio-ingress.${name}`,
  )

  it('the three of the reference: run in the order it says', async () => {
    const { exitCode, stderr, snapshot } = await apply(
      { ...around, 'p.yaml': three.join('---\n') },
      modules,
    )
    expect(exitCode).toBe(0)
    expect(stderr).toContain('spec.imagePullSecret: has no effect here')
    expect(chainOf(snapshot)).toEqual(order)
  })

  it('the same three as TrafficExtensions', async () => {
    const extensions = three.map((text) => {
      const [top, spec = ''] = text.split('spec:\n')
      const where = /^ {2}(selector|phase|priority):.*\n( {4}.*\n)*/gm
      const outer = [...spec.matchAll(where)].map(([part]) => part).join('')
      const inner = spec.replace(where, '').replaceAll(/^(?=.)/gm, '  ')
      return `${top?.replace('WasmPlugin', 'TrafficExtension')}spec:\n${outer}  wasm:\n${inner}`
    })
    const { exitCode, stderr, snapshot } = await apply(
      { ...around, 'p.yaml': extensions.join('---\n') },
      modules,
    )
    expect(stderr).not.toContain('error')
    expect(exitCode).toBe(0)
    expect(chainOf(snapshot)).toEqual(order)
  })
})

describe("Envoy Gateway's example", () => {
  const example = (source: string): string => `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata:
  name: wasm-test
spec:
  targetRefs:
    - group: gateway.networking.k8s.io
      kind: HTTPRoute
      name: shop
  wasm:
    - name: wasm-filter
      rootID: my_root_id
      code:
        ${source}
`
  const url = 'https://plugins.example/envoy_filter_http_wasm_example.wasm'
  const http = `type: HTTP\n        http:\n          url: ${url}`
  const image = 'type: Image\n        image:\n          url: zhaohuabing/testwasm:v0.0.1'

  it.each([
    ['a download with its sha256', `${http}\n          sha256: ${sha('a')}`, bound('w', 'a')],
    ['a download by its url', http, bound('w', 'a', url)],
    ['an image', image, bound('w', 'a', 'zhaohuabing/testwasm:v0.0.1')],
  ])('with %s: is in the chain of its route, pinned', async (_what, source, module) => {
    const files = { 'p.yaml': example(source), 'routes.yaml': ROUTES }
    const { exitCode, snapshot, resources } = await apply(files, [module])
    expect(exitCode).toBe(0)
    expect(chainOf(snapshot)).toEqual(['default.wasm-test.wasm-filter'])
    expect(snapshot?.plugins['default.wasm-test.wasm-filter']).toMatchObject({
      module: sha('a'),
      rootId: 'my_root_id',
      failStrategy: 'FAIL_CLOSE',
    })
    expect(snapshot?.gatewayPlugins).toEqual([])
    expect(resources).toContain(`"sha256":"${sha('a')}"`)
  })

  it('points at the entry whose module is not there', async () => {
    const { stderr } = await apply({ 'p.yaml': example(image), 'routes.yaml': ROUTES }, [])
    expect(stderr).toContain(
      'p.yaml:16:16: error: spec.wasm[0].code.image.url: there is no module testwasm; known: none. To bring it in run `postern add FILE.wasm --url oci://zhaohuabing/testwasm:v0.0.1`, then deploy',
    )
  })
})

it('an example without its Gateway is told that it is for nothing, and what to do', async () => {
  const files = { 'p.yaml': basicAuth, 'routes.yaml': ROUTES }
  const { exitCode, stderr, snapshot } = await apply(files, [bound('basic-auth', 'a', BASIC_AUTH)])
  expect(exitCode).toBe(0)
  expect(stderr).toContain(
    'p.yaml:5:14: warning: metadata.namespace: has no effect here: namespace istio-ingress has neither routes nor a Gateway. Declare the Gateway there, name targetRefs, or move the plugin to istio-system, whose plugins are for all namespaces',
  )
  expect(chainOf(snapshot)).toEqual([])
})
