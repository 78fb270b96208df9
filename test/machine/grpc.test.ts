/** gRPC callouts against a real gRPC-Web server: what guests are told, in which order, and what travels. */
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { grpcCallsPort } from '../../src/gateway/grpc-calls.ts'
import { Upstream } from '../../src/gateway/upstream.ts'
import { writeProto } from '../../src/proxy-wasm/memory/protobuf.ts'
import type { GrpcCallsPort } from '../../src/proxy-wasm/index.ts'
import { type GrpcServer, SERVICE, startGrpcServer, stringValue } from '../support/grpc-server.ts'
import { type Machine, machine, probe, type ProbeLine, script } from '../support/machine.ts'

let server: GrpcServer
let plain: Server
beforeAll(async () => {
  server = await startGrpcServer()
  plain = createServer((request, response) => {
    if (request.url?.includes('Broken')) {
      response.writeHead(200, { 'content-type': 'application/grpc-web+proto' })
      response.write(Buffer.from([0, 0, 0, 0, 9, 1]), () => response.destroy())
    } else if (request.url?.includes('NoTrailers')) {
      response.writeHead(200, { 'content-type': 'application/grpc-web+proto' })
      response.end(Buffer.from([0, 0, 0, 0, 1, 65]))
    } else if (request.url?.includes('Huge')) {
      response.writeHead(200, { 'content-type': 'application/grpc-web+proto' })
      response.end(Buffer.from([0, 0x7f, 0, 0, 0, 65]))
    } else if (!request.url?.includes('Slow')) response.writeHead(403).end('no')
  })
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
})
beforeEach(() => void server.calls.splice(0))
afterAll(async () => {
  await server.stop()
  plain.closeAllConnections()
  plain.close()
})

function upstream(name: string, url: string): Upstream {
  const network = { fetch: (target: string, init: RequestInit) => fetch(target, init) }
  return new Upstream(
    { name, url, aliases: [], timeoutMs: 5000 },
    { network, service: () => undefined },
  )
}

function grpcCalls(): GrpcCallsPort {
  const address = plain.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const upstreams = new Map([
    ['echo', upstream('echo', server.url)],
    ['plain', upstream('plain', `http://127.0.0.1:${port}`)],
    ['nobody', upstream('nobody', 'http://127.0.0.1:1')],
  ])
  return grpcCallsPort((_plugin, name) => upstreams.get(name))
}

type Steps = Readonly<Record<string, readonly object[]>>

const unary = (message: string, rest: object = {}): object => ({
  call: 'grpc_call',
  upstream: 'echo',
  service: SERVICE,
  method: 'Say',
  message: stringValue(message),
  ...rest,
})
const stream = (rest: object = {}): object => ({
  call: 'grpc_stream',
  upstream: 'echo',
  service: SERVICE,
  method: 'Count',
  label: 's',
  ...rest,
})
const send = (message: string, end = 1): object => ({
  call: 'grpc_send',
  label: 's',
  message: stringValue(message),
  end_of_stream: end,
})

/** Sends one request through the probe and waits until no call is pending. */
async function run(
  steps: Steps,
  host = machine({ ports: { grpcCalls: grpcCalls() } }),
): Promise<ProbeLine[]> {
  await begin(steps, host)
  await settled(host)
  return lines(host)
}

async function begin(steps: Steps, host: Machine): Promise<Promise<unknown>[]> {
  const held: Promise<unknown>[] = []
  const plugin = await host.plugin({ module: probe(), configuration: script(steps) })
  const io = { waitUntil: (promise: Promise<unknown>) => void held.push(promise), gone: false }
  await host.send([plugin], { io })
  pending.set(host, held)
  return held
}

const pending = new WeakMap<Machine, Promise<unknown>[]>()
async function settled(host: Machine): Promise<void> {
  const held = pending.get(host) ?? []
  for (let i = 0; i < held.length; i++) await held[i]
}

const lines = (host: Machine): ProbeLine[] =>
  host
    .lines()
    .filter((line) => /grpc/.test(`${line.on}${line.call}`) || line['label'] !== undefined)
const on = (all: readonly ProbeLine[]): unknown[] =>
  all.flatMap((line) => (line.on === undefined ? [] : [line.on]))
const call = (all: readonly ProbeLine[], name: string): ProbeLine | undefined =>
  all.find((line) => line.call === name)

describe('a unary call', () => {
  it('gives its message in on_grpc_receive, and nothing else', async () => {
    const all = await run({
      request_headers: [unary('hello')],
      grpc_receive: [
        { call: 'get_body', label: 'read' },
        { call: 'get_status', label: 'code' },
      ],
    })
    expect(all[0]).toMatchObject({ call: 'grpc_call', status: 0, token: 5 })
    expect(on(all)).toEqual(['grpc_receive'])
    expect(all[1]).toMatchObject({ on: 'grpc_receive', context: 1, token: 5, size: 7 })
    expect(call(all, 'get_body')).toMatchObject({ status: 0, value: stringValue('hello') })
    expect(call(all, 'get_status')).toMatchObject({ code: 0, size: 0 })
  })

  it('takes and gives a message of no bytes', async () => {
    const all = await run({
      request_headers: [unary('')],
      grpc_receive: [{ call: 'get_body', label: 'read' }],
    })
    expect(on(all)).toEqual(['grpc_receive'])
    expect(call(all, 'get_body')).toMatchObject({ status: 0, size: 0 })
  })

  it('tells a failure in on_grpc_close, with its code and message in proxy_get_status', async () => {
    const all = await run({
      request_headers: [unary('fail:7:not you, 100%')],
      grpc_close: [
        { call: 'get_status', label: 'code' },
        { call: 'get_body', label: 'none', buffer: 'grpc' },
      ],
    })
    expect(on(all)).toEqual(['grpc_close'])
    expect(all[1]).toMatchObject({ on: 'grpc_close', token: 5, status: 7 })
    expect(call(all, 'get_status')).toMatchObject({ code: 7, value: 'not you, 100%' })
    expect(call(all, 'get_body')).toMatchObject({ status: 0, size: 0 })
  })

  it('sends metadata, names in -bin as base64, and the timeout', async () => {
    const metadata = [
      ['x-one', '1'],
      ['x-one', '2'],
      ['x-raw-bin', '\u0000\u0001\u00ff'],
      [':authority', 'not.sent'],
      ['content-type', 'not/sent'],
    ]
    await run({ request_headers: [unary('m', { initial_metadata: metadata, timeout_ms: 2500 })] })
    const headers = server.calls[0]?.headers
    expect(headers?.get('x-one')).toBe('1, 2')
    expect(headers?.get('x-raw-bin')).toBe('AAH/')
    expect(headers?.get('grpc-timeout')).toBe('2500m')
    expect(headers?.get('content-type')).toBe('application/grpc-web+proto')
  })

  it.each([
    ['no connection', { upstream: 'nobody' }, 14],
    ['an answer that is no gRPC', { upstream: 'plain' }, 7],
    ['a method that is not there', { method: 'Nothing' }, 12],
    ['a response cut off', { upstream: 'plain', method: 'Broken' }, 13],
    ['a response without trailers', { upstream: 'plain', method: 'NoTrailers' }, 2],
    ['a message above the limit', { upstream: 'plain', method: 'Huge' }, 8],
    ['a server slower than the timeout', { upstream: 'plain', method: 'Slow', timeout_ms: 40 }, 4],
  ])('closes for %s', async (_, rest, status) => {
    const all = await run({ request_headers: [unary('m', rest)] })
    expect(on(all)).toEqual(['grpc_close'])
    expect(all[1]).toMatchObject({ on: 'grpc_close', token: 5, status })
  })

  it.each([
    ['an unknown upstream', { upstream: 'elsewhere' }, 4],
    ['malformed metadata', { initial_metadata: 'xyz' }, 4],
    ['a service that is no path segment', { service: 'a/b?c' }, 10],
  ])('never starts with %s, and never closes', async (_, rest, status) => {
    const all = await run({ request_headers: [unary('m', rest)] })
    expect(all).toMatchObject([{ call: 'grpc_call', status }])
  })

  it('finds the cluster in a serialized GrpcService', async () => {
    const service = writeProto([[1, writeProto([[1, 'echo']])]])
    const hex = Buffer.from(service).toString('hex')
    const all = await run({ request_headers: [unary('m', { upstream: { hex } })] })
    expect(on(all)).toEqual(['grpc_receive'])
  })

  it('is counted among the callouts of its stream', async () => {
    const host = machine({ ports: { grpcCalls: grpcCalls() } })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ request_headers: [unary('m'), unary('m'), stream()] }),
      limits: { calloutsPerRequest: 1 },
    })
    await host.send([plugin])
    expect(lines(host).map((line) => line['status'])).toEqual([0, 10, 10])
  })
})

describe('a stream', () => {
  it('gives metadata, messages, trailers and the close, in order', async () => {
    const all = await run({
      request_headers: [stream({ initial_metadata: [['x-a', '1']] }), send('3')],
      grpc_receive_initial_metadata: [
        { call: 'get_header', name: 'x-initial', label: 'i' },
        { call: 'get_header', name: 'x-data-bin', label: 'b' },
        { call: 'get_pairs', map: 'grpc_trailing', label: 't' },
      ],
      grpc_receive: [{ call: 'get_body', label: 'm' }],
      grpc_receive_trailing_metadata: [
        { call: 'get_header', name: 'x-trailing', label: 'x' },
        { call: 'get_header', name: 'grpc-status', label: 's' },
      ],
      grpc_close: [{ call: 'get_pairs', map: 'grpc_trailing', label: 'gone' }],
    })
    expect(all.slice(0, 2)).toMatchObject([
      { call: 'grpc_stream', status: 0, token: 6 },
      { call: 'grpc_send', status: 0 },
    ])
    expect(on(all)).toEqual([
      'grpc_receive_initial_metadata',
      'grpc_receive',
      'grpc_receive',
      'grpc_receive',
      'grpc_receive_trailing_metadata',
      'grpc_close',
    ])
    const values = all.flatMap((line) => (line.call?.startsWith('get_') ? [line['value']] : []))
    // binary metadata comes as it travels, as in Envoy
    expect(values.slice(0, 2)).toEqual(['hello 3', 'AAH/'])
    expect(values.slice(3, 8)).toEqual([
      stringValue('#1'),
      stringValue('#2'),
      stringValue('#3'),
      'bye',
      '0',
    ])
    expect(all.filter((line) => line.call === 'get_pairs')).toMatchObject([
      { status: 0, pairs: [] },
      { status: 0, pairs: [] },
    ])
    expect(all.find((line) => line.on === 'grpc_close')).toMatchObject({ token: 6, status: 0 })
    expect(server.calls.find(({ method }) => method === 'Count')?.headers.get('x-a')).toBe('1')
  })

  it('ends with the status that the server gives after messages', async () => {
    const all = await run({
      request_headers: [stream(), send('1:9:over')],
      grpc_close: [{ call: 'get_status', label: 'code' }],
    })
    expect(on(all).slice(-2)).toEqual(['grpc_receive_trailing_metadata', 'grpc_close'])
    expect(call(all, 'get_status')).toMatchObject({ code: 9, value: 'over' })
  })

  it('tells a local failure with empty metadata first, as Envoy does', async () => {
    const all = await run({ request_headers: [stream({ upstream: 'nobody' }), send('1')] })
    expect(all.filter((line) => line.on)).toMatchObject([
      { on: 'grpc_receive_initial_metadata', num_elements: 0 },
      { on: 'grpc_receive_trailing_metadata', num_elements: 0 },
      { on: 'grpc_close', status: 14 },
    ])
  })

  it('sends its one message at once; a second one is refused, the half-close is not', async () => {
    const all = await run({
      request_headers: [
        stream(),
        send('1', 0),
        send('2', 0),
        { call: 'grpc_close', label: 's' },
        send('3'),
      ],
    })
    const sent = all.filter((line) => line.call === 'grpc_send' || line.call === 'grpc_close')
    expect(sent.map((line) => line['status'])).toEqual([0, 2, 0, 2])
    expect(server.calls.map(({ message }) => message)).toEqual(['1'])
    expect(on(all).at(-1)).toBe('grpc_close')
  })

  it('half-closed without a message is the server’s to refuse', async () => {
    const all = await run({ request_headers: [stream(), { call: 'grpc_close', label: 's' }] })
    expect(on(all).at(-1)).toBe('grpc_close')
    expect(all.at(-1)?.['status']).toBeGreaterThan(0)
  })

  it('that is cancelled calls back no more, and the server hears of it', async () => {
    const all = await run({
      request_headers: [stream(), send('forever')],
      grpc_receive: [{ call: 'grpc_cancel', label: 's', if: { nth: 2 } }],
    })
    expect(on(all)).toEqual(['grpc_receive_initial_metadata', 'grpc_receive', 'grpc_receive'])
    await expect.poll(() => server.calls[0]?.left()).toBe(true)
  })

  it('ends with its vm', async () => {
    const host = machine({ ports: { grpcCalls: grpcCalls() } })
    await begin(
      {
        request_headers: [stream(), send('forever')],
        grpc_receive: [{ call: 'trap', if: { nth: 2 } }],
      },
      host,
    )
    await settled(host)
    expect(on(lines(host)).filter((name) => name === 'grpc_receive')).toHaveLength(2)
    expect(host.pool.size).toBe(0)
    await expect.poll(() => server.calls[0]?.left()).toBe(true)
  })

  it('whose request has gone is closed by the next turn', async () => {
    const host = machine({ ports: { grpcCalls: grpcCalls() } })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [
          { ...stream(), if: { total: 1 } },
          { ...send('forever'), if: { total: 1 } },
        ],
      }),
    })
    const io = { waitUntil: () => undefined, gone: false }
    await host.send([plugin], { io })
    await expect.poll(() => on(lines(host))).toContain('grpc_receive')
    io.gone = true
    await host.send([plugin])
    expect(lines(host).at(-1)).toMatchObject({ on: 'grpc_close', status: 1 })
    await expect.poll(() => server.calls[0]?.left()).toBe(true)
  })
})

describe('tokens', () => {
  it('say what kind of call they are, and what is unknown is NotFound', async () => {
    const raw = (name: string, ...args: unknown[]): object => ({
      call: 'raw',
      function: name,
      args,
      label: 'raw',
    })
    const all = await run({
      request_headers: [
        unary('a'),
        stream(),
        raw('proxy_grpc_send', 5, 0, 0, 1),
        raw('proxy_grpc_send', 4, 0, 0, 1),
        raw('proxy_grpc_send', 99, 0, 0, 1),
        raw('proxy_grpc_cancel', 4),
        raw('proxy_grpc_cancel', 99),
        raw('proxy_grpc_close', 4),
        raw('proxy_grpc_close', 5),
        raw('proxy_grpc_cancel', 5),
        raw('proxy_grpc_cancel', 10),
      ],
    })
    expect(all.map((line) => line['status'])).toEqual([0, 0, 2, 1, 1, 1, 1, 1, 0, 1, 0])
    expect(all.slice(0, 2).map((line) => line['token'])).toEqual([5, 10])
    expect(on(all)).toEqual([])
  })

  it('act on the effective context, and answer its root', async () => {
    const all = await run({
      configure: [{ call: 'set_tick_period', ms: 1 }],
      request_headers: [unary('from a stream', { label: 'a' })],
      grpc_receive: [
        { call: 'set_effective_context', issuer: true, label: 'a' },
        { call: 'get_header', map: 'request', name: ':path', label: 'a' },
        { call: 'get_body', buffer: 'grpc', label: 'a' },
      ],
    })
    expect(all.find((line) => line.on === 'grpc_receive')).toMatchObject({ context: 1, label: 'a' })
    expect(call(all, 'get_body')).toMatchObject({ value: stringValue('from a stream') })
  })
})
