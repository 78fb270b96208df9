/** The Worker as it is deployed, in wrangler's own test harness: its build, Miniflare's KV and Durable Objects. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestHarness } from 'wrangler'
import { kvFiles } from '../support/kv-files.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { type Origin, startOrigin } from '../support/origin.ts'
import { headerPolicy, upstreamAndRoute } from '../support/policy.ts'

/** What of KV is used here; Miniflare's own type has more. */
interface Kv {
  put(key: string, value: string): Promise<void>
  get(key: string): Promise<string | null>
}

const server = createTestHarness({
  root: join(import.meta.dirname, '../..'),
  workers: [
    {
      configPath: 'wrangler.toml',
      vars: { REFRESH_SECONDS: '0', MAX_STALE_SECONDS: '0' },
      secrets: { ADMIN_TOKEN: 'harness' },
    },
  ],
})
const folder = mkdtempSync(join(tmpdir(), 'postern-harness-'))
let origin: Origin
let kv: Kv

beforeAll(async () => {
  origin = await startOrigin()
  await server.listen()
  kv = (await server.getWorker().getEnv())['KV'] as Kv
})
afterAll(async () => {
  await server.close()
  await origin.stop()
  rmSync(folder, { recursive: true, force: true })
})

const policy = (version: string): object[] => [
  ...upstreamAndRoute(origin.url),
  headerPolicy(version, {}),
]
const version = async (): Promise<string | null> =>
  (await server.fetch('/')).headers.get('x-policy-version')

describe('in the harness', () => {
  it('answers 503 before there is a configuration', async () => {
    expect((await server.fetch('/')).status).toBe(503)
  })

  it('runs what was applied', async () => {
    const response = await server.fetch('/-/apply', {
      method: 'POST',
      headers: { authorization: 'Bearer harness' },
      body: JSON.stringify({ resources: policy('1.0.0'), base: 0 }),
    })
    expect(await response.json()).toMatchObject({ result: 'applied', revision: 1 })
    await expect.poll(version, { timeout: 5_000 }).toBe('header-policy/1.0.0')
  })

  it('shows a pointer that is put into KV to the next request', async () => {
    const named = await kvFiles(folder).compile(policy('1.1.0'))
    await kv.put(`snapshot.${named.hash}`, named.text)
    const pointer = JSON.parse((await kv.get('active')) ?? '') as object
    await kv.put('active', JSON.stringify({ ...pointer, revision: 2, snapshot: named.hash }))
    // nothing is older than zero seconds for longer than it takes to read it
    await expect.poll(version, { timeout: 5_000 }).toBe('header-policy/1.1.0')
  })
})
