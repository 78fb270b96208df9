/** Attributes beyond the request's own: certificates, metadata, the node, and what plugins set for each other. */
import { describe, expect, it } from 'vitest'
import { ATTRIBUTES as ROWS } from '../../src/proxy-wasm/abi/attributes.ts'
import type { StreamInfo } from '../../src/proxy-wasm/index.ts'
import { certificateNames } from '../../src/proxy-wasm/memory/certificate-names.ts'
import { protoText, readProto } from '../../src/proxy-wasm/memory/protobuf.ts'
import { readPairs } from '../../src/proxy-wasm/memory/pairs.ts'
import { ATTRIBUTES } from '../../src/proxy-wasm/stream/attributes.ts'
import { machine, probe, type ProbeLine, script } from '../support/machine.ts'
import { calls, playChain } from '../support/play.ts'

// openssl: CN=client, SAN URI:spiffe://shop/cart, DNS:cart.shop.example, DNS:other.example
const CERTIFICATE = [
  ':',
  'MIIBvTCCAWKgAwIBAgIUQaOynr8B+l+LrM8GdPwW/rlgwNowCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGY2xpZW50MC',
  'AXDTI2MTEyMTA5MjY0M1oYDzIxMjYxMDI4MDkyNjQzWjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjOPQIBBggq',
  'hkjOPQMBBwNCAAQsiY9aCr0hYpQfHxSb5Gql6DYaqtPT6dqhE73fJ65P7pHfcOFdT2yrj4zoMP/QFjPxwk6180qYPj',
  'dL3nRx7to1o4GVMIGSMB0GA1UdDgQWBBRuul+bEwsYin6TBayPBtCQ1bh1mjAfBgNVHSMEGDAWgBRuul+bEwsYin6T',
  'BayPBtCQ1bh1mjAPBgNVHRMBAf8EBTADAQH/MD8GA1UdEQQ4MDaGEnNwaWZmZTovL3Nob3AvY2FydIIRY2FydC5zaG',
  '9wLmV4YW1wbGWCDW90aGVyLmV4YW1wbGUwCgYIKoZIzj0EAwIDSQAwRgIhAOeUMwxYWT6a8eFad77ka5uWryJR33uj',
  'Kp41gf1SOyylAiEA+3SrmdqGZQ8ksveODf9J7MDk9Q5aNUmj/P4kgFuwpA4=',
  ':',
].join('')

const NODE = {
  id: 'store-042',
  cluster: 'stores',
  region: 'eu',
  zone: 'fra',
  metadata: { store: '042', size: 3, open: true, tags: ['a', 'b'], nothing: null },
}

const METADATA = { 'envoy.filters.http.jwt_authn': { payload: { sub: 'joe', exp: 17.5 } } }

async function read(
  path: readonly string[],
  info: Partial<StreamInfo> = {},
  phase = 'request_headers',
): Promise<ProbeLine | undefined> {
  const host = machine({ ports: { node: NODE } })
  const plugin = await host.plugin({
    module: probe(),
    configuration: script({ [phase]: [{ call: 'get_property', path }] }),
  })
  await (await host.send([plugin], { info })).text()
  return calls(host.lines(), 'get_property')[0]
}

const bytesOf = (line: ProbeLine | undefined): Buffer<ArrayBuffer> =>
  Buffer.from(`${line?.['value'] ?? ''}`, 'latin1') as Buffer<ArrayBuffer>

describe('the table of attributes', () => {
  it('says of each whether it is read here', () => {
    const elsewhere = new Set([
      'plugin_name',
      'plugin_root_id',
      'plugin_vm_id',
      'metadata',
      'filter_state',
    ])
    const readable = ROWS.filter(
      ({ path, source }) =>
        source !== undefined && !elsewhere.has(path) && !/^(xds\.)?node$/.test(path),
    )
    // two that only an embedder can fill
    const given = ['connection.id', 'connection_id', 'destination.address']
    expect(Object.keys(ATTRIBUTES).sort()).toEqual(
      [...readable.map(({ path }) => path), ...given].sort(),
    )
    for (const { path, source, note } of ROWS) {
      if (source === undefined) expect(note, path).toBeTruthy()
    }
  })
})

describe('a peer certificate', () => {
  it.each([
    ['dns_san_peer_certificate', 'cart.shop.example'],
    ['uri_san_peer_certificate', 'spiffe://shop/cart'],
  ])('gives its %s', async (name, value) => {
    const line = await read(['connection', name], { peerCertificate: CERTIFICATE })
    expect(line).toMatchObject({ status: 0, value })
  })

  it('that is none, cut or empty gives no names', async () => {
    for (const text of ['', '::', 'AAAA', '%%%', CERTIFICATE.slice(0, 300)]) {
      expect(certificateNames(text)).toEqual({ dns: undefined, uri: undefined })
    }
    const line = await read(['connection', 'uri_san_peer_certificate'], { peerCertificate: '' })
    expect(line).toMatchObject({ status: 1 })
  })
})

describe('the URL', () => {
  it.each([
    ['http://shop.example/', 80n, undefined],
    ['https://shop.example/', 443n, 'shop.example'],
    ['https://shop.example:8443/', 8443n, 'shop.example'],
  ])('of %s says port and server name', async (url, port, name) => {
    const info = { request: { url } }
    expect(bytesOf(await read(['destination', 'port'], info)).readBigInt64LE()).toBe(port)
    const line = await read(['connection', 'requested_server_name'], info)
    expect(line?.['value']).toBe(name)
  })

  it('of the upstream says its address once the request has gone out', async () => {
    const info = { upstream: { address: 'origin.example:8443' } }
    expect(await read(['upstream', 'address'], info)).toMatchObject({ status: 1 })
    expect(await read(['upstream', 'request_attempt_count'], info)).toMatchObject({ status: 1 })
    const later = await read(['upstream', 'address'], info, 'response_headers')
    expect(later).toMatchObject({ value: 'origin.example:8443' })
    const port = await read(['upstream', 'port'], info, 'response_headers')
    expect(bytesOf(port).readBigInt64LE()).toBe(8443n)
  })
})

describe.each([[['xds', 'node']], [['node']]])('%j', (node) => {
  it.each(['configure', 'request_headers', 'log'])('is known in %s', async (phase) => {
    expect(await read([...node, 'id'], {}, phase)).toMatchObject({ value: 'store-042' })
    expect(await read([...node, 'metadata', 'store'], {}, phase)).toMatchObject({ value: '042' })
  })

  it('is a message as a whole, its metadata a map, and null has no value', async () => {
    const fields = readProto(bytesOf(await read(node))) ?? []
    expect([protoText(fields, 1), protoText(fields, 2)]).toEqual(['store-042', 'stores'])
    const pairs = readPairs(bytesOf(await read([...node, 'metadata']))) ?? []
    expect(pairs.filter((_, i) => i % 2 === 0)).toEqual(Object.keys(NODE.metadata))
    expect(await read([...node, 'locality', 'zone'])).toMatchObject({ value: 'fra' })
    for (const last of ['nothing', 'else', '__proto__']) {
      expect(await read([...node, 'metadata', last])).toMatchObject({ status: 1 })
    }
  })
})

describe('metadata', () => {
  const path = ['metadata', 'filter_metadata', 'envoy.filters.http.jwt_authn', 'payload']

  it('is walked down to its values', async () => {
    const info = { metadata: METADATA }
    expect(await read([...path, 'sub'], info)).toMatchObject({ value: 'joe' })
    expect(bytesOf(await read([...path, 'exp'], info)).readDoubleLE()).toBe(17.5)
    expect(await read([...path, 'iss'], info)).toMatchObject({ status: 1 })
    expect(readPairs(bytesOf(await read(path, info)))?.slice(0, 2)).toEqual(['sub', 'joe'])
    expect(readProto(bytesOf(await read(['metadata'], info)))).toHaveLength(1)
  })

  it('that nobody gave is NotFound', async () => {
    expect(await read(path)).toMatchObject({ status: 1 })
    expect(await read(['metadata'])).toMatchObject({ status: 1 })
  })
})

describe('what a plugin sets', () => {
  it('is there for later plugins, by its path and in filter_state; built-in names are not shadowed', async () => {
    const set = (path: string[], value: string): object => ({ call: 'set_property', path, value })
    const get = (...path: string[]): object => ({ call: 'get_property', path })
    const { lines } = await playChain([
      {
        configuration: script({
          request_headers: [
            set(['tenant'], 'blue'),
            set(['a', 'b'], 'deep'),
            set(['plugin_name'], 'other'),
            set(['request', 'method'], 'PUT'),
            set(['node'], 'mine'),
          ],
        }),
      },
      {
        configuration: script({
          request_headers: [
            get('tenant'),
            get('filter_state', 'wasm.tenant'),
            get('a', 'b'),
            get('plugin_name'),
            get('request', 'method'),
          ],
          log: [get('tenant')],
        }),
      },
    ])
    const values = calls(lines, 'get_property').map((line) => line['value'])
    expect(values).toEqual(['blue', 'blue', 'deep', 'p2', 'GET', 'blue'])
  })
})
