/** Foreign functions: Envoy's, an embedder's own, and answers that come later. */
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { deflateSync, gzipSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { envoyFunctions } from '../../src/foreign/index.ts'
import { type ForeignFunction, Status } from '../../src/proxy-wasm/index.ts'
import {
  protoBytes,
  protoNumber,
  protoText,
  readProto,
  writeProto,
} from '../../src/proxy-wasm/memory/protobuf.ts'
import { type Machine, machine, probe, type ProbeLine, script } from '../support/machine.ts'
import { calls, on, play, playChain, statuses } from '../support/play.ts'

const hex = (bytes: Uint8Array): object => ({ hex: Buffer.from(bytes).toString('hex') })
const bytesOf = (line: ProbeLine | undefined): Buffer =>
  Buffer.from(`${line?.['value'] ?? ''}`, 'latin1')
const foreign = (name: string, argument: object | string = '', rest: object = {}): object => ({
  call: 'foreign',
  function: name,
  argument,
  ...rest,
})

function withFunctions(own: Readonly<Record<string, ForeignFunction>> = {}): Machine {
  const foreignFunctions = envoyFunctions({ filterStateObjects: ['shop.tenant'] }).registerAll(own)
  return machine({ ports: { foreignFunctions } })
}

/** Calls one function in request headers. */
async function ask(name: string, argument: object | string = ''): Promise<ProbeLine | undefined> {
  const { lines } = await play(
    { request_headers: [foreign(name, argument)] },
    { host: withFunctions() },
  )
  return calls(lines, 'foreign')[0]
}

describe('a foreign function', () => {
  it('that nobody registered is NotFound', async () => {
    expect(await ask('nothing')).toMatchObject({ status: 1 })
  })

  it('gives its result, or none; the guest may not want it', async () => {
    const { lines } = await play(
      {
        request_headers: [
          foreign('twice', 'ab'),
          foreign('twice', 'ab', { discard: true }),
          foreign('none'),
          foreign('fails'),
          foreign('throws'),
        ],
      },
      {
        host: withFunctions({
          twice: (args) => Uint8Array.of(...args, ...args),
          none: () => undefined,
          fails: () => ({ status: Status.BadArgument }),
          throws: () => {
            throw new Error('no')
          },
        }),
      },
    )
    expect(calls(lines, 'foreign')).toMatchObject([
      { status: 0, value: 'abab' },
      { status: 0 },
      { status: 0, value: null, size: 0 },
      { status: 2 },
      { status: 10 },
    ])
  })

  it('acts on the effective context, and knows its caller', async () => {
    const seen: unknown[] = []
    const { lines } = await play(
      {
        create: [{ call: 'remember_context', as: 's', if: { root: false } }],
        tick: [{ call: 'set_effective_context', remembered: 's' }, foreign('who')],
        configure: [{ call: 'set_tick_period', ms: 1 }, foreign('who')],
        request_headers: [foreign('who')],
      },
      {
        host: withFunctions({
          who(_args, { plugin, property }) {
            const path = property(['request', 'path'])
            seen.push([plugin, path && Buffer.from(path).toString()])
            return undefined
          },
        }),
      },
    )
    expect(statuses(calls(lines, 'foreign'))).toEqual(seen.map(() => 0))
    expect(seen.slice(0, 2)).toEqual([
      ['p1', undefined],
      ['p1', '/items?page=2'],
    ])
  })

  it('calls back when the guest has returned, and later', async () => {
    const later = Promise.withResolvers<void>()
    const held: Promise<unknown>[] = []
    const host = withFunctions({
      ask(args, { callBack, waitUntil }) {
        callBack(7, Uint8Array.of(1, 2))
        waitUntil(later.promise.then(() => callBack(8, args)))
        return undefined
      },
    })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [
          foreign('ask', 'hello'),
          { call: 'get_body', buffer: 'call_data' },
          { call: 'nothing' },
        ],
        foreign_function: [{ call: 'get_body', buffer: 'call_data' }],
      }),
    })
    const io = { waitUntil: (promise: Promise<unknown>) => void held.push(promise), gone: false }
    await host.send([plugin], { io })
    later.resolve()
    await Promise.all(held)
    const lines = host.lines()
    expect(on(lines, 'foreign_function')).toMatchObject([
      { context: 1, function: 7, size: 2 },
      { context: 1, function: 8, size: 5 },
    ])
    expect(calls(lines, 'get_body')).toMatchObject([
      { status: 0, size: 0 },
      { status: 0, value: '\u0001\u0002' },
      { status: 0, value: 'hello' },
    ])
    // the first came after the whole callback that had asked for it
    const names = lines.map((line) => line.on ?? line.call)
    expect(names.indexOf('nothing')).toBeLessThan(names.indexOf('foreign_function'))
  })

  it('can be told of something unasked', async () => {
    const host = withFunctions()
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ foreign_function: [{ call: 'get_body', buffer: 'call_data' }] }),
    })
    const io = { waitUntil: () => undefined, gone: false }
    expect(plugin.callForeign(3, Uint8Array.of(65), io)).toBe(true)
    expect(on(host.lines(), 'foreign_function')).toMatchObject([
      { context: 1, function: 3, size: 1 },
    ])
    expect(calls(host.lines(), 'get_body')).toMatchObject([{ status: 0, value: 'A' }])
  })

  it('has no callback in 0.1.0', async () => {
    const host = withFunctions({ ask: (_, { callBack }) => void callBack(1, new Uint8Array(0)) })
    const { lines } = await playChain(
      [{ module: probe('0.1.0'), configuration: script({ request_headers: [foreign('ask')] }) }],
      { host },
    )
    expect(on(lines, 'foreign_function')).toEqual([])
  })
})

describe('compress and uncompress', () => {
  it('are zlib streams', async () => {
    const text = 'a'.repeat(1000)
    const compressed = bytesOf(await ask('compress', text))
    expect(compressed.length).toBeLessThan(50)
    expect(inflateSync(compressed).toString()).toBe(text)
    expect(bytesOf(await ask('uncompress', hex(deflateSync(text)))).toString()).toBe(text)
    expect(bytesOf(await ask('compress', ''))).toEqual(deflateSync(''))
  })

  it.each([
    ['no zlib stream', Buffer.from('hello')],
    ['gzip', gzipSync('hello')],
    ['a cut stream', deflateSync('hello').subarray(0, 8)],
    ['nothing', Buffer.alloc(0)],
    ['more than an isolate can hold', deflateSync(Buffer.alloc(17 * 1024 * 1024))],
  ])('refuse %s with SerializationFailure', async (_, bytes) => {
    expect(await ask('uncompress', hex(bytes))).toMatchObject({ status: 3 })
  })
})

describe.each([
  ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['ECDSA', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
])('signatures with %s', (_, { publicKey, privateKey }) => {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  const text = Buffer.from('the text')

  it.each(['sha1', 'sha256', 'SHA512'])('verify with %s, in DER and PEM', async (hash) => {
    const signature = sign(hash.toLowerCase(), text, privateKey)
    for (const key of [[2, spki] as const, [5, pem] as const]) {
      const good = writeProto([[1, hash], key, [3, signature], [4, text]])
      expect(readProto(await result('verify_signature', good))).toEqual([{ field: 1, value: 1n }])
      const bad = writeProto([[1, hash], key, [3, signature], [4, 'another text']])
      expect(protoText(readProto(await result('verify_signature', bad)) ?? [], 2)).toMatch(/verify/)
    }
  })

  it('sign, so that others can verify', async () => {
    const fields = readProto(
      await result(
        'sign',
        writeProto([
          [1, 'sha256'],
          [2, pkcs8],
          [3, text],
        ]),
      ),
    )
    expect(protoNumber(fields ?? [], 1)).toBe(1)
    expect(verify('sha256', text, publicKey, protoBytes(fields ?? [], 2) ?? text)).toBe(true)
  })

  it('say what is wrong in the result', async () => {
    const error = async (name: string, field: number, message: Uint8Array): Promise<string> =>
      protoText(readProto(await result(name, message)) ?? [], field)
    const hash = writeProto([
      [1, 'md5'],
      [2, spki],
    ])
    expect(await error('verify_signature', 2, hash)).toBe('md5 is not supported.')
    const key = writeProto([
      [1, 'sha256'],
      [2, 'no key'],
    ])
    expect(await error('verify_signature', 2, key)).toMatch(/public key/)
    expect(await error('sign', 3, key)).toMatch(/private key/)
  })

  it.each([
    ['bytes that are no message', Buffer.from([0xff])],
    ['no key', writeProto([[1, 'sha256']])],
    [
      'two keys',
      writeProto([
        [2, spki],
        [4, pem],
        [5, pem],
      ]),
    ],
  ])('are BadArgument for %s', async (_name, message) => {
    for (const name of ['verify_signature', 'sign']) {
      expect(await ask(name, hex(message))).toMatchObject({ status: 2 })
    }
  })

  async function result(name: string, message: Uint8Array): Promise<Buffer<ArrayBuffer>> {
    const line = await ask(name, hex(message))
    expect(line).toMatchObject({ status: 0 })
    return bytesOf(line) as Buffer<ArrayBuffer>
  }
})

describe('filter state', () => {
  const declare = (fields: Parameters<typeof writeProto>[0]): object =>
    foreign('declare_property', hex(writeProto(fields)))

  it('lets a declared property be read-only: set once in a stream', async () => {
    const set = { call: 'set_property', path: ['limit'], value: '1' }
    const { lines } = await play(
      {
        configure: [
          declare([
            [1, 'limit'],
            [2, true],
            [3, 1],
            [5, 1],
          ]),
          declare([[1, 'limit']]),
        ],
        request_headers: [
          set,
          { ...set, value: '2' },
          { call: 'get_property', path: ['limit'] },
          { ...set, path: ['other'] },
          { ...set, path: ['other'] },
        ],
      },
      { host: withFunctions() },
    )
    expect(statuses(calls(lines, 'foreign'))).toEqual([0, 2])
    expect(statuses(calls(lines, 'set_property'))).toEqual([0, 2, 0, 0])
    expect(calls(lines, 'get_property')).toMatchObject([{ value: '1' }])
  })

  it.each([
    ['bytes that are no message', Buffer.from([0xff])],
    [
      'a span that is none',
      writeProto([
        [1, 'a'],
        [5, 3],
      ]),
    ],
    [
      'a type that is none',
      writeProto([
        [1, 'a'],
        [3, 4],
      ]),
    ],
  ])('declares nothing of %s', async (_, message) => {
    expect(await ask('declare_property', hex(message))).toMatchObject({ status: 2 })
  })

  it('takes objects it knows, and shows them to later plugins', async () => {
    const set = (path: string, span = 0): object =>
      foreign(
        'set_envoy_filter_state',
        hex(
          writeProto([
            [1, path],
            [2, 'blue'],
            [3, span],
          ]),
        ),
      )
    const { lines } = await playChain(
      [
        {
          configuration: script({
            configure: [set('shop.tenant')],
            request_headers: [
              set('shop.tenant'),
              set('envoy.string', 2),
              set('envoy.tcp_proxy.cluster'),
              set('shop.tenant', 3),
            ],
          }),
        },
        {
          configuration: script({
            request_headers: [
              { call: 'get_property', path: ['filter_state', 'shop.tenant'] },
              { call: 'get_property', path: ['filter_state', 'shop.other'] },
            ],
          }),
        },
      ],
      { host: withFunctions() },
    )
    expect(statuses(calls(lines, 'foreign'))).toEqual([1, 0, 0, 1, 2])
    expect(calls(lines, 'get_property')).toMatchObject([
      { status: 0, value: 'blue' },
      { status: 1 },
    ])
  })

  it('clears the route cache', async () => {
    const { sent } = await play(
      { request_headers: [foreign('clear_route_cache', 'ignored')] },
      { host: withFunctions() },
    )
    expect(sent?.routeCleared).toBe(true)
    expect(await ask('clear_route_cache')).toMatchObject({ status: 0 })
  })
})
