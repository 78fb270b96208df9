/** Which requests a plugin sees: by the node it runs on, the port asked for, its namespace and targets. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import {
  headerProbe,
  pluginPolicy,
  route,
  upstreamAndRoute,
  wasmPlugin,
} from '../support/policy.ts'

const SECRET = 'a-value-only-the-node-has'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway({
    vars: {
      NODE_LABELS: 'store=042, region=eu',
      ALLOWED_HOST_ENV: 'PARTNER_TOKEN, ADMIN_TOKEN, NOT_SET',
      PARTNER_TOKEN: SECRET,
      NOT_LISTED: 'never',
    },
  })
})
afterAll(() => gateway.stop())
afterEach(() => gateway.origin.reset())

const group = 'gateway.networking.k8s.io'
/** A plugin that leaves its name on requests. */
const mark = (name: string, spec: object = {}, namespace?: string): object => {
  const add = { call: 'add_header', name: 'x-ran', value: name }
  const resource = headerProbe(name, { request_headers: [add] }, spec) as { metadata: object }
  return { ...resource, metadata: { ...resource.metadata, ...(namespace && { namespace }) } }
}
const ran = async (path = '/', host?: string): Promise<string | undefined> => {
  const headers = host === undefined ? [] : ([['host', host]] as [string, string][])
  await send(`${gateway.url}${path}`, { headers })
  return gateway.origin.last.header('x-ran')
}
const vmOf = async (id: string): Promise<string | undefined> =>
  (await gateway.status()).plugins.find((plugin) => plugin.id === id)?.vm

describe('the node', () => {
  it('runs what selects its labels, and shows the rest as unselected', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      mark('this', { priority: 3, selector: { matchLabels: { store: '042', region: 'eu' } } }),
      mark('gateway', { priority: 2, selector: { matchLabels: { istio: 'ingressgateway' } } }),
      mark('other', { priority: 1, selector: { matchLabels: { store: '043' } } }),
    )
    expect(await ran()).toBe('this, gateway')
    expect(await vmOf('default.this')).toBe('running')
    expect(await vmOf('default.other')).toBe('unselected')
  })

  it('is told at apply when it is not selected', async () => {
    const { revision: base } = await gateway.status()
    const resources = [
      ...upstreamAndRoute(gateway.origin.url),
      mark('other', { selector: { matchLabels: { store: '043' } } }),
    ]
    const { result } = await gateway.apply({ resources, base, prune: true, dryRun: true })
    expect(result).toMatchObject({
      result: 'planned',
      warnings: [
        {
          code: 'config.no_effect',
          resource: 'WasmPlugin default/other',
          path: ['spec', 'selector', 'matchLabels'],
          message: expect.stringContaining('it lacks store=043'),
        },
      ],
    })
  })

  it('gives a plugin the variables that it may, and nobody else', async () => {
    const env = [
      { name: 'PARTNER_TOKEN', valueFrom: 'HOST' },
      { name: 'NOT_SET', valueFrom: 'HOST' },
      { name: 'INLINE', value: 'yes' },
    ]
    const steps = { request_headers: [{ call: 'env' }] }
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      wasmPlugin('told', 'oci://fixtures/probe:0.2.1', { steps }, { vmConfig: { env } }),
    )
    const before = gateway.output().length
    await send(`${gateway.url}/`)
    const printed = (): string => gateway.output().slice(before)
    await expect.poll(printed).toContain('INLINE')
    expect(printed()).toContain(SECRET)
    expect(printed()).not.toContain('NOT_SET')
    expect(JSON.stringify(await gateway.status())).not.toContain(SECRET)
    const stored = readdirSync(gateway.kv).map((key) => readFileSync(join(gateway.kv, key), 'utf8'))
    expect(stored.join('\n')).toContain('["PARTNER_TOKEN"]')
    expect(stored.join('\n')).not.toContain(SECRET)
  })

  it('tries no plugin that is for another node and needs what that has', async () => {
    const refuses = { steps: { configure: [{ call: 'return_false' }] } }
    const url = 'oci://fixtures/probe:0.2.1'
    const vmConfig = { env: [{ name: 'STORE_KEY', valueFrom: 'HOST' }] }
    const apply = async (spec: object): Promise<string> => {
      const { revision: base } = await gateway.status()
      const resources = [wasmPlugin('elsewhere', url, refuses, spec)]
      return (await gateway.apply({ resources, base, prune: true, dryRun: true })).result.result
    }
    const selector = { matchLabels: { store: '043' } }
    expect(await apply({ selector, vmConfig })).toBe('planned')
    // what can be tried is, wherever it runs
    expect(await apply({ selector })).toBe('refused')
  })

  it.each(['NOT_LISTED', 'ADMIN_TOKEN'])('refuses to give %s away', async (name) => {
    const { revision: base } = await gateway.status()
    const vmConfig = { env: [{ name, valueFrom: 'HOST' }] }
    const resources = [...upstreamAndRoute(gateway.origin.url), mark('greedy', { vmConfig })]
    const { status, result } = await gateway.apply({ resources, base, prune: true })
    expect(status).toBe(422)
    expect(result).toMatchObject({
      result: 'refused',
      problems: [{ code: 'config.host_env_denied', path: ['spec', 'vmConfig', 'env', 0, 'name'] }],
    })
  })
})

describe('the port', () => {
  it('that a client asks for decides who sees the request', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      mark('web', { priority: 3, match: [{ mode: 'CLIENT', ports: [{ number: 80 }] }] }),
      mark('admin', { priority: 2, match: [{ ports: [{ number: 8443 }, { number: 9 }] }] }),
      mark('both', { priority: 1, match: [{ mode: 'CLIENT_AND_SERVER' }] }),
      mark('never', { match: [{ mode: 'SERVER' }] }),
    )
    expect(await ran('/', 'shop.test')).toBe('web, both')
    expect(await ran('/', 'shop.test:8443')).toBe('admin, both')
    expect(await ran('/', 'shop.test:8080')).toBe('both')
  })

  it('is that of the listener, where a Gateway is declared', async () => {
    const listener = (name: string, port: number, hostname: string): object => ({
      name,
      port,
      hostname,
      protocol: 'HTTP',
    })
    const edge = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'edge' },
      spec: { listeners: [listener('a', 8080, 'a.test'), listener('b', 9090, 'b.test')] },
    }
    const attached = route('attached', '/', 'origin') as { spec: object }
    Object.assign(attached.spec, { parentRefs: [{ name: 'edge' }] })
    const [origin] = upstreamAndRoute(gateway.origin.url)
    await gateway.policy(
      origin as object,
      edge,
      attached,
      mark('on-8080', { priority: 2, match: [{ ports: [{ number: 8080 }] }] }),
      mark('on-80', { match: [{ ports: [{ number: 80 }] }] }),
    )
    // behind whatever maps ports, the URL has another one
    expect(await ran('/', 'a.test')).toBe('on-8080')
    expect(await ran('/', 'b.test')).toBeUndefined()
  })

  it('decides for a request that no route takes as well', async () => {
    const reply = { request_headers: [{ call: 'local_reply', status: 418 }] }
    await gateway.policy(headerProbe('tea', reply, { match: [{ ports: [{ number: 80 }] }] }))
    const to = (host: string) => send(`${gateway.url}/`, { headers: [['host', host]] })
    expect((await to('shop.test')).status).toBe(418)
    expect((await to('shop.test:8080')).status).toBe(404)
  })
})

describe('the namespace', () => {
  const inNamespace = (resource: object, namespace: string): object => {
    const { metadata } = resource as { metadata: object }
    return { ...resource, metadata: { ...metadata, namespace } }
  }
  const teamRoute = (team: string): object => {
    const resource = route(team, `/${team}`, 'origin') as {
      spec: { rules: { backendRefs: object[] }[] }
    }
    for (const rule of resource.spec.rules) {
      rule.backendRefs = rule.backendRefs.map((ref) => Object.assign({ namespace: 'default' }, ref))
    }
    return inNamespace(resource, team)
  }

  it('of a plugin without targets is that of the routes it is for; the root one is for all', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      teamRoute('team-a'),
      teamRoute('team-b'),
      mark('root', { priority: 9 }, 'istio-system'),
      mark('gateway', { priority: 8 }),
      mark('a', { priority: 7 }, 'team-a'),
      mark('b', { priority: 6 }, 'team-b'),
      mark(
        'only',
        { priority: 5, targetRef: { group, kind: 'HTTPRoute', name: 'team-a' } },
        'team-a',
      ),
    )
    expect(await ran('/team-a')).toBe('root, gateway, a, only')
    expect(await ran('/team-b')).toBe('root, gateway, b')
    expect(await ran('/')).toBe('root, gateway')
  })
})

describe('other ways to write a plugin', () => {
  const config = (name: string): object => ({
    steps: { request_headers: [{ call: 'add_header', name: 'x-ran', value: name }] },
    quiet: true,
    quiet_calls: true,
  })
  const url = 'oci://fixtures/probe:0.2.1-headers-only'
  const entry = (name: string): object => ({
    name,
    code: { type: 'Image', image: { url: url.slice('oci://'.length) } },
    config: config(name),
  })
  const envoyPolicy = (name: string, target: object, wasm: readonly object[]): object => ({
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'EnvoyExtensionPolicy',
    metadata: { name },
    spec: { targetRefs: [{ group, ...target }], wasm },
  })

  it('run as a WasmPlugin does', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      route('shop', '/shop', 'origin'),
      route('free', '/free', 'origin'),
      {
        apiVersion: 'extensions.istio.io/v1alpha1',
        kind: 'TrafficExtension',
        metadata: { name: 'extension' },
        spec: { phase: 'AUTHN', wasm: { url, pluginConfig: config('extension') } },
      },
      mark('plugin', { phase: 'AUTHZ' }),
      envoyPolicy('all', { kind: 'Gateway', name: 'default' }, [entry('first'), entry('second')]),
      envoyPolicy('own', { kind: 'HTTPRoute', name: 'shop' }, [entry('own')]),
      envoyPolicy('none', { kind: 'HTTPRoute', name: 'free' }, []),
    )
    expect(await ran('/')).toBe('extension, plugin, first, second')
    expect(await ran('/shop')).toBe('extension, plugin, own')
    expect(await ran('/free')).toBe('extension, plugin')
  })

  it('fail open or closed as they say', async () => {
    const trap = { ...entry('t'), config: { steps: { request_headers: [{ call: 'trap' }] } } }
    const policy = (failOpen: boolean): object =>
      envoyPolicy('all', { kind: 'Gateway', name: 'default' }, [{ ...trap, failOpen }])
    const policies = pluginPolicy('x', {
      targetRefs: [
        {
          group: 'gateway.envoyproxy.io',
          kind: 'EnvoyExtensionPolicy',
          name: 'all',
          sectionName: 't',
        },
      ],
      vmId: 'own',
    })
    await gateway.policy(upstreamAndRoute(gateway.origin.url), policy(false), policies)
    expect((await send(`${gateway.url}/`)).status).toBe(503)
    await gateway.policy(upstreamAndRoute(gateway.origin.url), policy(true), policies)
    expect((await send(`${gateway.url}/`)).status).toBe(200)
  })
})
