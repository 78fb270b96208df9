import { describe, expect, it } from 'vitest'
import type { StreamInfo } from '../../src/proxy-wasm/index.ts'
import { machine, probe, script } from '../support/machine.ts'
import { calls, during, play, playChain, post, statuses } from '../support/play.ts'

const get = (...path: string[]): unknown => ({ call: 'get_property', path })

const INFO: StreamInfo = {
  startTime: 1_700_000_000_000_000_001n,
  protocol: 'HTTP/2',
  sourceAddress: '192.0.2.7:4711',
  sourcePort: 4711,
  destinationAddress: '198.51.100.1',
  destinationPort: 443,
  connectionId: 0xffff_ffff_ffff_fffen,
  tlsVersion: 'TLSv1.3',
  requestedServerName: 'shop.example',
  mtls: true,
  subjectPeerCertificate: 'CN=client',
  sha256PeerCertificateDigest: 'abcd',
  routeName: 'items',
  virtualHostName: 'shop',
  clusterName: 'outbound|80||shop',
  upstreamAddress: '203.0.113.5:8080',
  upstreamPort: 8080,
}

const le = (value: bigint): string => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
  return bytes.toString('latin1')
}

async function read(phase: string, path: readonly string[], request?: Request) {
  const host = machine()
  const plugin = await host.plugin({
    module: probe(),
    name: 'reader',
    rootId: 'root',
    vmId: 'vm',
    configuration: script({ [phase]: [get(...path)] }),
  })
  const response = await host.send([plugin], {
    info: INFO,
    request:
      request ??
      new Request('http://shop.example/items?page=2', {
        headers: {
          referer: 'http://r.example/',
          'user-agent': 'curl/8',
          'x-request-id': 'id-1',
          'x-a': '1',
        },
      }),
    upstream: () =>
      new Response('answer', {
        status: 201,
        headers: { 'content-length': '6', 'grpc-status': '5', 'x-b': '2' },
      }),
  })
  await response.text()
  return during(host.lines(), phase)[0]
}

describe('an attribute is encoded as Envoy does', () => {
  it.each([
    ['request.path', '/items?page=2'],
    ['request.url_path', '/items'],
    ['request.query', 'page=2'],
    ['request.host', 'shop.example'],
    ['request.scheme', 'http'],
    ['request.method', 'GET'],
    ['request.referer', 'http://r.example/'],
    ['request.useragent', 'curl/8'],
    ['request.id', 'id-1'],
    ['request.protocol', 'HTTP/2'],
    ['request.time', le(1_700_000_000_000_000_001n)],
    ['request.size', le(0n)],
    ['request.headers.x-a', '1'],
    ['request.headers.X-A', '1'],
    ['source.address', '192.0.2.7:4711'],
    ['source.port', le(4711n)],
    ['destination.address', '198.51.100.1'],
    ['destination.port', le(443n)],
    ['connection.id', le(0xffff_ffff_ffff_fffen)],
    ['connection_id', le(0xffff_ffff_ffff_fffen)],
    ['connection.mtls', '\u0001'],
    ['connection.tls_version', 'TLSv1.3'],
    ['connection.requested_server_name', 'shop.example'],
    ['connection.subject_peer_certificate', 'CN=client'],
    ['connection.sha256_peer_certificate_digest', 'abcd'],
    ['upstream.address', '203.0.113.5:8080'],
    ['upstream.port', le(8080n)],
    ['xds.cluster_name', 'outbound|80||shop'],
    ['cluster_name', 'outbound|80||shop'],
    ['xds.route_name', 'items'],
    ['xds.virtual_host_name', 'shop'],
    ['xds.listener_direction', le(1n)],
    ['plugin_name', 'reader'],
    ['plugin_root_id', 'root'],
    ['plugin_vm_id', 'vm'],
  ])('%s', async (path, value) => {
    const segments = path.startsWith('request.headers.')
      ? ['request', 'headers', path.slice(16)]
      : path.split('.')
    expect(await read('request_headers', segments)).toMatchObject({ status: 0, value })
  })

  it.each([
    ['response.code', le(201n)],
    ['response.code_details', 'via_upstream'],
    ['response.size', le(6n)],
    ['response.grpc_status', le(5n)],
    ['response.flags', le(0n)],
    ['response.headers.x-b', '2'],
    ['request.path', '/items?page=2'],
  ])('%s, once there is a response', async (path, value) => {
    expect(await read('response_headers', path.split('.'))).toMatchObject({ status: 0, value })
    expect(await read('log', path.split('.'))).toMatchObject({ status: 0, value })
  })

  it('request.headers is a map, with the values of one name joined', async () => {
    const { lines } = await play({
      request_headers: [
        {
          call: 'set_pairs',
          pairs: [
            ['a', '1'],
            ['b', '2'],
            ['a', '3'],
          ],
        },
        get('request', 'headers'),
        { call: 'set_header', name: ':path', value: '/' },
      ],
    })
    const value = String(calls(lines, 'get_property')[0]?.['value'])
    const count = '\u0002\0\0\0'
    const sizes = '\u0001\0\0\0\u0003\0\0\0\u0001\0\0\0\u0001\0\0\0'
    expect(value).toBe(`${count}${sizes}a\x001,3\0b\x002\0`)
  })

  it('request.size counts what has come when nothing was declared', async () => {
    const { lines } = await play(
      { request_body: [get('request', 'size')] },
      { request: post(['abc', 'de']) },
    )
    expect(calls(lines, 'get_property').map((line) => line['value'])).toEqual([
      le(3n),
      le(5n),
      le(5n),
    ])
  })

  it('request.duration is known when it is over', async () => {
    expect(await read('request_headers', ['request', 'duration'])).toMatchObject({ status: 1 })
    expect(await read('log', ['request', 'duration'])).toMatchObject({ status: 0, size: 8 })
  })

  it('response.backend_latency is known with the response', async () => {
    expect(await read('request_headers', ['response', 'backend_latency'])).toMatchObject({
      status: 1,
    })
    expect(await read('response_headers', ['response', 'backend_latency'])).toMatchObject({
      size: 8,
    })
  })
})

describe('what names nothing is NOT_FOUND', () => {
  it.each([
    [[]],
    [['request']],
    [['response']],
    [['connection']],
    [['response', 'code']],
    [['request', 'nothing']],
    [['request', 'headers', 'x-none']],
    [['response', 'headers', 'x-a']],
    [['request', 'headers', 'x-a', 'more']],
    [['metadata', 'filter_metadata', 'x']],
    [['constructor']],
    [['__proto__']],
    [['toString']],
    [['hasOwnProperty']],
    [['filter_state']],
    [['wasm', 'x']],
  ])('%j', async (path) => {
    expect(await read('request_headers', path)).toMatchObject({ status: 1 })
  })

  it('for a root, which has only its own names', async () => {
    const { lines } = await play({
      configure: [get('request', 'path'), get('plugin_name'), get('xds', 'cluster_name')],
    })
    expect(statuses(during(lines, 'configure'))).toEqual([1, 0, 1])
  })
})

describe('setting a property', () => {
  it('lets later plugins and phases read it, whatever its path', async () => {
    const { host, lines } = await playChain([
      {
        configuration: script({
          request_headers: [
            { call: 'set_property', path: ['one'], value: 'single' },
            { call: 'set_property', path: ['a', 'b'], value: { hex: '00ff' } },
          ],
        }),
      },
      {
        configuration: script({
          request_headers: [get('one'), get('a', 'b'), get('filter_state', 'wasm.one'), get('a')],
          log: [get('one')],
        }),
      },
    ])
    expect(statuses(calls(lines, 'set_property'))).toEqual([0, 0])
    expect(during(host.lines('p2'), 'request_headers')).toMatchObject([
      { status: 0, value: 'single' },
      { status: 0, value: '\0\u00ff' },
      { status: 0, value: 'single' },
      { status: 1 },
    ])
    expect(during(host.lines('p2'), 'log')).toMatchObject([{ value: 'single' }])
  })

  it('does not change what the host knows', async () => {
    const { lines } = await play({
      request_headers: [
        { call: 'set_property', path: ['request', 'path'], value: 'forged' },
        { call: 'set_property', path: ['plugin_name'], value: 'forged' },
        get('request', 'path'),
        get('plugin_name'),
      ],
    })
    expect(calls(lines, 'get_property').map((line) => line['value'])).toEqual([
      '/items?page=2',
      'p1',
    ])
  })

  it('is not seen by other streams', async () => {
    const host = machine()
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [get('mine'), { call: 'set_property', path: ['mine'], value: '1' }],
      }),
    })
    await host.send([plugin])
    await host.send([plugin])
    expect(statuses(calls(host.lines(), 'get_property'))).toEqual([1, 1])
  })

  it('on a root is OK, has no effect, and is told in the log', async () => {
    const { lines, host } = await play({
      configure: [{ call: 'set_property', path: ['x'], value: '1' }, get('x')],
    })
    expect(statuses(during(lines, 'configure'))).toEqual([0, 1])
    expect(host.logs.some((entry) => entry.message.includes('proxy_set_property'))).toBe(true)
  })

  it('takes paths with a NUL at the end as without, as the C++ SDK writes them', async () => {
    const { lines } = await play({
      request_headers: [{ call: 'get_property', path: ['request', 'path'], trailing_nul: true }],
    })
    expect(calls(lines, 'get_property')).toMatchObject([{ status: 0, value: '/items?page=2' }])
  })

  it('with bad pointers is 6', async () => {
    const { lines } = await play({
      request_headers: [
        { call: 'raw', function: 'proxy_get_property', args: [-4, 9, { out: 0 }, { out: 1 }] },
        { call: 'raw', function: 'proxy_set_property', args: [{ ptr: 'a' }, 1, -4, 9] },
      ],
    })
    expect(statuses(calls(lines, 'raw'))).toEqual([6, 6])
  })
})
