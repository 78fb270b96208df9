/** Every way in which the store can be wrong, while something runs and with nothing running yet. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type KvFiles, kvFiles } from '../support/kv-files.ts'
import { headerPolicy, headerProbe, upstreamAndRoute } from '../support/policy.ts'

const HASH = 'a'.repeat(64)
const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-broken-'))
  folders.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

let gateway: TestGateway
let kv: KvFiles
let base: number
beforeAll(async () => {
  gateway = await startGateway()
  kv = kvFiles(gateway.kv)
})
afterAll(() => gateway.stop())

const policy = (mark: string): object[] => [
  ...upstreamAndRoute(gateway.origin.url),
  headerPolicy('1.0.0', { response: { set: { 'x-mark': mark } } }),
]
const mark = async (): Promise<string | undefined> =>
  (await send(`${gateway.url}/`)).header('x-mark')
const refresh = async (): Promise<void> =>
  void (await (await gateway.admin('/-/refresh', { method: 'POST' })).text())

describe('while something runs', () => {
  let good = ''
  let pointer = ''
  beforeEach(async () => {
    base = await gateway.policy(policy('good'))
    expect(await mark()).toBe('good')
    good = (await gateway.status()).snapshot ?? ''
    pointer = kv.read('active')
  })
  afterEach(async () => {
    kv.put('active', pointer)
    await refresh()
  })

  const refusal = async (): Promise<string | undefined> => {
    await refresh()
    expect(await mark()).toBe('good')
    const status = await gateway.status()
    expect(status.snapshot).toBe(good)
    return status.refusals.at(0)?.code
  }

  it.each([
    ['no JSON', '{', 'config.pointer_invalid'],
    ['another shape', '{"revision":"1"}', 'config.pointer_invalid'],
    ['nothing', '', 'config.pointer_invalid'],
  ])('a pointer that is %s is refused', async (_what, text, code) => {
    kv.put('active', text)
    expect(await refusal()).toBe(code)
  })

  it('a pointer that is gone is refused', async () => {
    kv.remove('active')
    expect(await refusal()).toBe('config.pointer_missing')
  })

  it('a lower revision is refused', async () => {
    const named = await kv.compile(policy('older'))
    kv.putSnapshot(named)
    kv.point(base - 1 || 1, named.hash)
    expect(await refusal()).toMatch(/config\.revision_(older|reused)/)
  })

  it('a snapshot that is not what its name says is refused', async () => {
    kv.put(`snapshot.${HASH}`, (await kv.compile(policy('forged'))).text)
    kv.point(base + 1, HASH)
    expect(await refusal()).toBe('config.snapshot_hash')
  })

  it('a snapshot that is not there yet is pending, and runs when it appears', async () => {
    const named = await kv.compile(policy('late'))
    kv.point(base + 1, named.hash)
    await refresh()
    expect(await mark()).toBe('good')
    expect((await gateway.status()).pending).toEqual({ revision: base + 1, snapshot: named.hash })
    kv.putSnapshot(named)
    await expect.poll(mark, { timeout: 8_000 }).toBe('late')
    expect((await gateway.status()).pending).toBeNull()
    pointer = kv.read('active')
  })

  it('a module that is not bound leaves the plugin as it runs', async () => {
    const named = await kv.compile(policy('unbound'))
    const text = named.text.replace(/"module":"[0-9a-f]{64}"/, `"module":"${HASH}"`)
    const { sha256Hex } = await import('../../src/config/digest.ts')
    const hash = await sha256Hex(text)
    kv.put(`snapshot.${hash}`, text)
    kv.point(base + 1, hash)
    await refresh()
    expect(await mark()).toBe('good')
    const status = await gateway.status()
    expect(status.refusals.at(0)).toMatchObject({
      code: 'module.not_bound',
      plugin: 'default.header-policy',
    })
    pointer = kv.read('active')
  })

  it('a configuration that its plugin refuses leaves the plugin as it runs, and says why', async () => {
    const named = await kv.compile([
      ...upstreamAndRoute(gateway.origin.url),
      headerPolicy('1.0.0', { response: { sett: {} } }),
    ])
    kv.putSnapshot(named)
    kv.point(base + 1, named.hash)
    await refresh()
    expect(await mark()).toBe('good')
    const status = await gateway.status()
    expect(status.refusals.at(0)?.plugin).toBe('default.header-policy')
    expect(status.refusals.at(0)?.message).toMatch(/did not start/)
    expect(gateway.output()).toContain('unknown field `sett`')
    pointer = kv.read('active')
  })

  it('the same through apply is refused before anything is written, with what the plugin logged', async () => {
    const { status, result } = await gateway.apply({
      resources: [
        ...upstreamAndRoute(gateway.origin.url),
        headerPolicy('1.0.0', { response: { sett: {} } }),
      ],
      base,
      prune: true,
    })
    expect([status, result.result]).toEqual([422, 'refused'])
    expect(JSON.stringify(result)).toContain('unknown field `sett`')
    expect(kv.read('active')).toBe(pointer)
  })

  it('one plugin that does not start does not keep the others from changing', async () => {
    const other = (version: string): object =>
      headerProbe('other', {
        response_headers: [{ call: 'set_header', name: 'x-other', value: version }],
      })
    base = await gateway.policy(policy('good'), other('1'))
    await send(`${gateway.url}/`)
    const named = await kv.compile([
      ...upstreamAndRoute(gateway.origin.url),
      headerPolicy('1.0.0', { response: { sett: {} } }),
      other('2'),
    ])
    kv.putSnapshot(named)
    kv.point(base + 1, named.hash)
    await refresh()
    const reply = await send(`${gateway.url}/`)
    expect([reply.header('x-mark'), reply.header('x-other')]).toEqual(['good', '2'])
    pointer = kv.read('active')
  })

  it('a folder that is gone leaves everything as it runs', async () => {
    renameSync(gateway.kv, `${gateway.kv}-gone`)
    try {
      await refresh()
      expect(await mark()).toBe('good')
    } finally {
      renameSync(`${gateway.kv}-gone`, gateway.kv)
    }
  })
})

describe('with nothing running yet', () => {
  const cold = async (prepare: (files: KvFiles) => void | Promise<void>): Promise<TestGateway> => {
    const folder = newFolder()
    await prepare(kvFiles(join(folder, 'kv')))
    return startGateway({ folder })
  }

  it.each([
    ['no pointer', () => undefined],
    ['a pointer that is no JSON', (files: KvFiles) => files.put('active', '{')],
    ['a snapshot that is missing', (files: KvFiles) => files.point(1, HASH)],
    [
      'a snapshot that is not what its name says',
      (files: KvFiles) => {
        files.put(`snapshot.${HASH}`, '{}')
        files.point(1, HASH)
      },
    ],
  ])('%s is answered with 503, until it is right', async (_what, prepare) => {
    const started = await cold(prepare)
    try {
      const reply = await send(`${started.url}/`)
      expect([reply.status, reply.json()]).toMatchObject([503, { error: { code: 'config.none' } }])
      expect((await started.status()).origin).toBe('none')
      const files = kvFiles(started.kv)
      const named = await files.compile(policy('right'))
      files.putSnapshot(named)
      files.point(2, named.hash)
      await expect
        .poll(async () => (await send(`${started.url}/`)).header('x-mark'), { timeout: 8_000 })
        .toBe('right')
    } finally {
      await started.stop()
    }
  })

  it('the previous snapshot runs where the active one cannot', async () => {
    const started = await cold(async (files) => {
      const named = await files.compile(policy('previous'))
      files.putSnapshot(named)
      files.put(`snapshot.${HASH}`, '{}')
      files.point(2, HASH, { previous: named.hash })
    })
    try {
      expect((await send(`${started.url}/`)).header('x-mark')).toBe('previous')
      expect((await started.status()).origin).toBe('previous')
    } finally {
      await started.stop()
    }
  })

  it('a plugin’s last good version runs where the new one does not start', async () => {
    const started = await cold(async (files) => {
      const before = await files.compile(policy('last-good'))
      const named = await files.compile(
        [
          ...upstreamAndRoute(gateway.origin.url),
          headerPolicy('1.0.0', { response: { sett: {} } }),
        ],
        before.snapshot,
      )
      files.putSnapshot(named)
      files.point(2, named.hash)
    })
    try {
      expect((await send(`${started.url}/`)).header('x-mark')).toBe('last-good')
      const { plugins } = await started.status()
      expect(plugins[0]).toMatchObject({ vm: 'last-good' })
    } finally {
      await started.stop()
    }
  })
})

describe('the policy object', () => {
  it('goes on after a crash where it was', async () => {
    const folder = newFolder()
    const first = await startGateway({ folder })
    const revision = await first.policy(
      ...upstreamAndRoute(first.origin.url),
      headerPolicy('1.0.0', { response: { set: { 'x-mark': 'kept' } } }),
    )
    await first.stop('SIGKILL')
    const second = await startGateway({ folder })
    try {
      expect((await send(`${second.url}/`)).header('x-mark')).toBe('kept')
      const stale = await second.apply({ resources: [], base: revision - 1 })
      expect([stale.status, stale.result]).toMatchObject([409, { current: revision }])
      expect(await second.policy(policy('next'))).toBe(revision + 1)
    } finally {
      await second.stop()
    }
  })

  it('lets one of two win that started from the same revision, and tells the other', async () => {
    base = await gateway.policy(policy('before'))
    const answers = await Promise.all(
      ['left', 'right'].map((side) =>
        gateway.apply({ resources: policy(side), base, prune: true }),
      ),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409])
    await refresh()
    const winner = answers.findIndex(({ status }) => status === 200)
    expect(await mark()).toBe(['left', 'right'][winner])
  })
})

describe('the admin API', () => {
  it('needs the token, and is off without one', async () => {
    for (const path of ['/-/status', '/-/nothing']) {
      expect((await send(`${gateway.url}${path}`)).status, path).toBe(401)
      const wrong = [['authorization', 'Bearer wrong']] as const
      expect((await send(`${gateway.url}${path}`, { headers: wrong })).status, path).toBe(401)
    }
    expect((await send(`${gateway.url}/-/healthz`)).status).toBe(200)
    const open = await startGateway({ vars: { ADMIN_TOKEN: undefined } })
    try {
      expect((await open.admin('/-/status')).status).toBe(403)
      expect((await send(`${open.url}/-/healthz`)).status).toBe(200)
    } finally {
      await open.stop()
    }
  })

  it('keeps its paths to itself: none of them reaches an upstream', async () => {
    await gateway.policy(policy('admin'))
    gateway.origin.reset()
    for (const path of ['/-/', '/-/x', '/-/status/../x']) await send(`${gateway.url}${path}`)
    expect(gateway.origin.requests).toHaveLength(0)
  })
})
