/** What an isolate does without the second module of the Worker: everything but change the configuration. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AccessTeam, AUDIENCE } from '../support/access-team.ts'
import { kvFiles } from '../support/kv-files.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { headerPolicy, upstreamAndRoute } from '../support/policy.ts'
import { startWorkerd, type Workerd } from '../support/workerd.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-second-'))
let team: AccessTeam
let origin: Origin
let gateway: Workerd

beforeAll(async () => {
  team = await AccessTeam.start()
  origin = await startOrigin()
  const kv = kvFiles(join(folder, 'kv'))
  const named = await kv.compile([...upstreamAndRoute(origin.url), headerPolicy('1.0.0', {})])
  kv.putSnapshot(named)
  kv.point(1, named.hash)
  const vars = { ACCESS_TEAM_DOMAIN: team.url, ACCESS_AUD: AUDIENCE }
  // a Worker that loads it when it starts does not start
  gateway = await startWorkerd({ folder, vars, control: 'missing' })
})
afterAll(async () => {
  await gateway.stop()
  await origin.stop()
  await team.stop()
  rmSync(folder, { recursive: true, force: true })
})

it('serves requests, and answers whoever has a token', async () => {
  const response = await gateway.fetch('/')
  expect(response.headers.get('x-policy-version')).toBe('header-policy/1.0.0')
  for (const path of [
    '/-/healthz',
    '/-/status',
    '/-/metrics',
    '/-/explain?url=http://a.example/',
  ]) {
    expect([path, (await gateway.admin(path)).status]).toEqual([path, 200])
  }
  expect(gateway.output()).not.toContain('control.js')
})

it('says what is wrong when the configuration is to change, and changes nothing', async () => {
  const body = JSON.stringify({ resources: upstreamAndRoute(origin.url), base: 1 })
  const response = await gateway.admin('/-/apply', { method: 'POST', body })
  expect(response.status).toBe(500)
  expect(await response.json()).toMatchObject({ error: { code: 'admin.failed', fault: 'gateway' } })
  await expect
    .poll(() => gateway.output())
    .toMatch(/admin\.failed POST .*control\.js.*deploy again/)
  expect(await (await gateway.admin('/-/status')).json()).toMatchObject({ revision: 1 })
})

it('lets nobody in whose Access token cannot be checked', async () => {
  const headers = { 'cf-access-jwt-assertion': await team.token() }
  const response = await gateway.fetch('/-/status', { headers })
  expect(response.status).toBe(500)
  expect(await response.json()).toMatchObject({ error: { code: 'admin.failed' } })
})
