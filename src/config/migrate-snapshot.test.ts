/** Snapshots of older Posterns, byte for byte as those wrote them, read by this one. */
import { describe, expect, it } from 'vitest'
import { canonicalJson } from './canonical.ts'
import { sha256Hex } from './digest.ts'
import type { ReadSnapshot } from './read-snapshot.ts'
import { readSnapshot } from './read-snapshot.ts'
import { sha } from './testing/resources.ts'

const SCHEMA_1 = {
  schema: 1,
  routes: [
    {
      name: 'shop',
      namespace: 'default',
      hostnames: ['shop.example'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' }, method: 'GET' }],
          upstream: 'shop',
        },
      ],
      plugins: ['default.auth'],
    },
  ],
  gatewayPlugins: ['default.auth'],
  plugins: {
    'default.auth': {
      id: 'default.auth',
      name: 'auth',
      namespace: 'default',
      module: sha('a'),
      rootId: '',
      phase: 'AUTHN',
      priority: 0,
      configuration: '{"a":1}',
      failStrategy: 'FAIL_CLOSE',
      env: [],
      vmId: '',
      shareVm: false,
      vmConfiguration: '',
      limits: {},
      allowOnHeadersStopIteration: false,
      lastGood: { module: sha('b'), configuration: '{"a":0}' },
    },
  },
  upstreams: { shop: { name: 'shop', url: 'http://shop.test', aliases: [], timeoutMs: 15_000 } },
}

async function read(value: unknown): Promise<ReadSnapshot> {
  const text = canonicalJson(value)
  return readSnapshot(text, await sha256Hex(text))
}

describe('a snapshot of schema 1', () => {
  it('has the default Gateway, backends and a list of last good versions when it is read', async () => {
    const result = await read(SCHEMA_1)
    expect(result).toMatchObject({
      found: {
        schema: 2,
        gateways: [{ name: 'default', namespace: 'default', plugins: ['default.auth'] }],
        routes: [
          {
            gateway: 'default/default',
            rules: [{ backends: [{ upstream: 'shop', weight: 1 }] }],
            plugins: ['default.auth'],
          },
        ],
        plugins: {
          'default.auth': { lastGood: [{ module: sha('b'), configuration: '{"a":0}' }] },
        },
      },
    })
    expect(JSON.stringify(result)).not.toContain('"upstream":"shop","weight":1}],"upstream"')
  })

  it.each([
    ['routes that are no list', { ...SCHEMA_1, routes: 'all' }, 'routes'],
    ['a plugin that is none', { ...SCHEMA_1, plugins: { 'default.auth': null } }, 'plugins'],
    ['a member that nobody knows', { ...SCHEMA_1, more: 1 }, 'more'],
    [
      'an upstream that is not there',
      { ...SCHEMA_1, upstreams: {} },
      'route default/shop names upstream shop',
    ],
  ])('is refused with %s', async (_what, value, where) => {
    const result = await read(value)
    expect(result).toMatchObject({ code: 'config.snapshot_invalid' })
    expect(JSON.stringify(result)).toContain(where)
  })
})

it('does not read a schema that is no number from 1', async () => {
  for (const schema of [0, -1, 1.5, '1', null, [2]]) {
    expect(await read({ ...SCHEMA_1, schema })).toMatchObject({ code: 'config.snapshot_invalid' })
  }
})

it('refuses what a newer Postern wrote, by name', async () => {
  expect(await read({ schema: 3, everything: 'else' })).toMatchObject({
    code: 'config.schema_newer',
    message: expect.stringContaining('schema 3') as string,
  })
})
