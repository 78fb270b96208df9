/** What fields of a WasmPlugin and of its PluginPolicy do to real requests, where no other test is about them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import {
  headerProbe,
  pluginPolicy,
  probe,
  upstream,
  upstreamAndRoute,
  wasmPlugin,
} from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())
afterEach(() => gateway.origin.reset())

const URL = 'oci://fixtures/probe:0.2.1-headers-only'
const policy = (...resources: readonly object[]): Promise<number> =>
  gateway.policy(upstreamAndRoute(gateway.origin.url), ...resources)
const seen = async (name: string): Promise<string | undefined> => {
  await send(`${gateway.url}/`)
  return gateway.origin.last.header(name)
}
const set = (name: string, value: unknown): object => ({ call: 'set_header', name, value })
const SAVED = { saved: 'v' }
const callTo = (upstreamName: string): object => ({
  call: 'http_call',
  upstream: upstreamName,
  headers: [
    [':method', 'GET'],
    [':path', `/called/${upstreamName}`],
    [':authority', upstreamName],
  ],
})
const called = (): string[] =>
  gateway.origin.requests.map(({ target }) => target).filter((path) => path.startsWith('/called'))

describe('a WasmPlugin', () => {
  it('has its pluginName as root id, and its id as name', async () => {
    const read = (path: string) => [
      { call: 'get_property', path: [path], save: 'v' },
      set(`x-${path}`, SAVED),
    ]
    const steps = [...read('plugin_root_id'), ...read('plugin_name')]
    await policy(headerProbe('p', { request_headers: steps }, { pluginName: 'the_root' }))
    expect(await seen('x-plugin_root_id')).toBe('the_root')
    expect(gateway.origin.last.header('x-plugin_name')).toBe('default.p')
  })

  it('has its pluginConfig as JSON with sorted keys, and no bytes for an empty one', async () => {
    const read = { call: 'get_body', buffer: 'plugin_configuration', save: 'v' }
    const steps = { request_headers: [read, set('x-config', SAVED)] }
    await policy(wasmPlugin('p', URL, { z: 1, steps, quiet: true, quiet_calls: true }))
    expect(await seen('x-config')).toMatch(/^\{"quiet":true,.*"z":1\}$/)
    const vmConfiguration = JSON.stringify({ steps })
    await policy(wasmPlugin('p', URL, {}), pluginPolicy('p', { vmConfiguration }))
    expect(await seen('x-config')).toBe('')
  })

  it('runs the module of its sha256, whatever its url is', async () => {
    const { modules } = await gateway.status()
    const module = modules.find(
      (one) => one.name === 'probe' && one.version === '0.2.1-headers-only',
    )
    const steps = { request_headers: [set('x-ran', 'yes')] }
    const spec = { sha256: module?.sha256 }
    await policy(wasmPlugin('p', 'oci://elsewhere.test/other:9', { steps }, spec))
    expect(await seen('x-ran')).toBe('yes')
  })
})

describe('a PluginPolicy', () => {
  it('hands vmConfiguration to the vm', async () => {
    const vmConfiguration = JSON.stringify({ steps: { request_headers: [set('x-from', 'vm')] } })
    await policy(wasmPlugin('p', URL, {}), pluginPolicy('p', { vmConfiguration }))
    expect(await seen('x-from')).toBe('vm')
  })

  it('takes away the host calls that allowedCapabilities does not list', async () => {
    const steps = { request_headers: [set('x-set', '1'), { call: 'remove_header', name: 'x-off' }] }
    const all = [
      'proxy_on_context_create',
      'proxy_on_request_headers',
      'proxy_on_configure',
      'proxy_on_vm_start',
      'proxy_get_buffer_bytes',
      'proxy_log',
      'environ_get',
      'environ_sizes_get',
      'random_get',
      'fd_write',
    ]
    const withSet = [...all, 'proxy_replace_header_map_value']
    const ask = async (allowedCapabilities: readonly string[]): Promise<unknown[]> => {
      await policy(headerProbe('p', steps), pluginPolicy('p', { allowedCapabilities }))
      await send(`${gateway.url}/`, { headers: [['x-off', 'still']] })
      const { last } = gateway.origin
      return [last.header('x-set'), last.header('x-off')]
    }
    expect(await ask(withSet)).toEqual(['1', 'still'])
    expect(await ask([...withSet, 'proxy_remove_header_map_value'])).toEqual(['1', undefined])
  })

  it('lets it call only its upstreams, by name or alias', async () => {
    const steps = { request_headers: ['one', 'two', 'deux'].map(callTo) }
    const upstreams = [
      upstream('one', { url: gateway.origin.url }),
      upstream('two', { url: gateway.origin.url, aliases: ['deux'] }),
    ]
    await policy(...upstreams, headerProbe('p', steps), pluginPolicy('p', { upstreams: ['deux'] }))
    await send(`${gateway.url}/`)
    await expect.poll(called).toHaveLength(2)
    expect(called().toSorted()).toEqual(['/called/deux', '/called/two'])
  })

  it('bounds the calls of a request', async () => {
    const steps = { request_headers: ['one', 'one', 'one'].map(callTo) }
    await policy(
      upstream('one', { url: gateway.origin.url }),
      headerProbe('p', steps),
      pluginPolicy('p', { limits: { calloutsPerRequest: 2 } }),
    )
    await send(`${gateway.url}/`)
    await expect.poll(called).toHaveLength(2)
    await send(`${gateway.url}/`)
    await expect.poll(called).toHaveLength(4)
  })

  it('bounds the body that is held for it', async () => {
    const holds = { request_body: [{ call: 'return', action: 1, if: { end_of_stream: false } }] }
    await policy(probe('p', holds), pluginPolicy('p', { limits: { bodyBytes: 10 } }))
    const post = (body: string) => send(`${gateway.url}/`, { method: 'POST', body })
    expect((await post('x'.repeat(100_000))).status).toBe(413)
    expect((await post('short')).status).toBe(200)
  })

  it('gives plugins of one vmId the same shared data', async () => {
    const writes = { request_headers: [{ call: 'shared_data_set', key: 'k', value: 'from w' }] }
    const reads = {
      request_headers: [{ call: 'shared_data_get', key: 'k', save: 'v' }, set('x-read', SAVED)],
    }
    const both = [headerProbe('w', writes, { priority: 1 }), headerProbe('r', reads)]
    await policy(...both, pluginPolicy('w', { vmId: 'a' }), pluginPolicy('r', { vmId: 'b' }))
    expect(await seen('x-read')).not.toBe('from w')
    await policy(...both, pluginPolicy('w', { vmId: 'c' }), pluginPolicy('r', { vmId: 'c' }))
    expect(await seen('x-read')).toBe('from w')
  })

  it('lets plugins share one vm', async () => {
    const mark = (name: string) => headerProbe(name, { request_headers: [set(`x-${name}`, '1')] })
    const vms = async (shareVm: boolean): Promise<number> => {
      const vmId = `shared-${shareVm}`
      await policy(
        mark('a'),
        mark('b'),
        pluginPolicy('a', { shareVm, vmId }),
        pluginPolicy('b', { shareVm, vmId }),
      )
      await send(`${gateway.url}/`)
      expect(gateway.origin.last.header('x-a')).toBe('1')
      expect(gateway.origin.last.header('x-b')).toBe('1')
      const wanted = shareVm ? 1 : 2
      return (await gateway.until(`down to ${wanted}`, ({ vms: { count } }) => count === wanted))
        .vms.count
    }
    expect(await vms(false)).toBe(2)
    expect(await vms(true)).toBe(1)
  })
})
