/** Shadows of the shipped plugins, which are written with the SDKs for Rust, Go and AssemblyScript. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Plugin } from '../../src/proxy-wasm/index.ts'
import { machine, type MachineOptions } from '../support/machine.ts'
import { post, reply } from '../support/play.ts'
import { throughShadow, type Shadowed } from '../support/shadow.ts'
import { get, shipped } from '../support/shipped.ts'

interface Pair extends MachineOptions {
  readonly plugin: string
  readonly stable: object
  readonly candidate: object
  readonly version?: string
  readonly request?: Request
}

async function pair({
  plugin,
  stable,
  candidate,
  version = '1.0.0',
  ...options
}: Pair): Promise<Shadowed> {
  const host = machine(options)
  const made = (configuration: object, own: object = {}): Promise<Plugin> =>
    shipped(host, plugin, configuration, own)
  const theirs = await made(stable)
  const own = await made(candidate, { version, fields: { logOnly: { callouts: 'replay' } } })
  return throughShadow(host, [theirs], { ...options, plugins: [theirs, own] })
}

const classes = ({ differences }: Shadowed): string[] => differences.map((one) => one.class)

const AUTHZ = { upstream: 'authz', copy_to_request: ['x-user'] }
const CARDS = { direction: 'both', content_types: ['text/*', 'application/json'] }
const KEYS = {
  keys: [
    {
      sha256: '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b',
      consumer: 'a',
      paths: ['/api/'],
    },
  ],
}
const card = (): Request =>
  post('{"card":"4111 1111 1111 1111"}', { 'content-type': 'application/json' })

describe('a shadow with the same configuration does not differ', () => {
  it.each<[string, object, () => Request]>([
    ['header-policy', { request: { set: { 'x-store': '042' } } }, () => get('/')],
    ['mask-card-numbers', CARDS, card],
    ['api-key', KEYS, () => get('/api/orders')],
    [
      'ab-cookie',
      {
        experiment: 'e',
        variants: [
          { name: 'a', weight: 0 },
          { name: 'b', weight: 50 },
        ],
      },
      () => get('/'),
    ],
  ])('%s', async (plugin, configuration, request) => {
    const found = await pair({
      plugin,
      stable: configuration,
      candidate: configuration,
      request: request(),
    })
    expect([found.compared, found.notCompared, classes(found)]).toEqual([1, [], []])
  })
})

describe('a shadow with another configuration', () => {
  it('of header-policy sets other headers', async () => {
    const set = (value: string): object => ({ request: { set: { 'x-store': value } } })
    const found = await pair({ plugin: 'header-policy', stable: set('1'), candidate: set('2') })
    expect(found.differences).toMatchObject([
      { class: 'request-headers', headers: [{ name: 'x-store', before: ['1'], after: ['2'] }] },
    ])
    expect(found.sent[0]?.headers.get('x-store')).toBe('1')
  })

  it('of header-policy in its next version says so', async () => {
    const configuration = { request: { set: { 'x-store': '042' } } }
    const found = await pair({
      plugin: 'header-policy',
      stable: configuration,
      candidate: configuration,
      version: '1.1.0',
    })
    expect(found.differences).toMatchObject([
      {
        class: 'response-headers',
        headers: [{ name: 'x-policy-version', after: ['header-policy/1.1.0'] }],
      },
    ])
    expect(found.response.headers.get('x-policy-version')).toBe('header-policy/1.0.0')
  })

  it('of mask-card-numbers lets a body pass as it is', async () => {
    const candidate = { ...CARDS, direction: 'response' }
    const found = await pair({
      plugin: 'mask-card-numbers',
      stable: CARDS,
      candidate,
      request: card(),
    })
    expect(classes(found)).toContain('request-body')
    expect(found.sent[0]?.body).not.toContain('4111 1111')
  })

  it('of api-key denies who paid, and nobody hears of it', async () => {
    const keyOf = (key: string): object => ({
      keys: [{ sha256: createHash('sha256').update(key).digest('hex'), consumer: 'store' }],
    })
    const found = await pair({
      plugin: 'api-key',
      stable: keyOf('paid'),
      candidate: keyOf('another'),
      request: get('/pay', { 'x-api-key': 'paid' }),
    })
    expect([found.response.status, found.verdicts[0]?.reply?.status]).toEqual([200, 403])
    expect(classes(found)).toEqual(['local-reply'])
  })
})

describe('a shadow of remote-authz', () => {
  const ask = (candidate: object, answer = 200): Promise<Shadowed> =>
    pair({
      plugin: 'remote-authz',
      stable: AUTHZ,
      candidate,
      request: get('/orders', { authorization: 'Bearer t' }),
      callout: async () => reply(answer, '', ['x-user', 'ann']),
    })

  it.each([200, 403])('is answered %i by the record', async (answer) => {
    const found = await ask(AUTHZ, answer)
    expect([found.host.calls.length, found.compared, classes(found)]).toEqual([1, 1, []])
  })

  it('that asks elsewhere reaches nobody, and denies', async () => {
    const found = await ask({ ...AUTHZ, path: '/other', on_failure: 'deny' })
    expect([found.host.calls.length, found.response.status]).toEqual([1, 200])
    expect(classes(found)).toEqual(['local-reply'])
  })
})
