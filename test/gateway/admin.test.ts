/** The admin API of the built Worker: roles, Access, the host it is bound to, and what stays out of logs. */
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AccessTeam, AUDIENCE } from '../support/access-team.ts'
import { gatewayOf, startGateway, type TestGateway } from '../support/gateway.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { upstreamAndRoute } from '../support/policy.ts'
import { ADMIN_TOKEN, startWorkerd } from '../support/workerd.ts'

const READ = 'a token that reads'

interface Answer {
  readonly status: number
  readonly code: string | undefined
}

async function ask(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, { method, headers })
  const body = (await response.json().catch(() => ({}))) as { error?: { code: string } }
  return { status: response.status, code: body.error?.code }
}

/** With a host of its own, which fetch would not send. */
function askHost(url: string, path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url)
    const headers = { host, authorization: `Bearer ${ADMIN_TOKEN}` }
    request({ port, host: '127.0.0.1', path, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

describe('callers', () => {
  let team: AccessTeam
  let gateway: TestGateway
  beforeAll(async () => {
    team = await AccessTeam.start()
    gateway = await startGateway({
      vars: {
        ADMIN_READ_TOKEN: `sha256:${createHash('sha256').update(READ).digest('hex')}`,
        ACCESS_TEAM_DOMAIN: team.url,
        ACCESS_AUD: AUDIENCE,
        ACCESS_WRITERS: 'ann@acme.example , group:platform',
      },
    })
    await gateway.policy(upstreamAndRoute(gateway.origin.url))
  })
  afterAll(async () => {
    await gateway.stop()
    await team.stop()
  })

  it('with the read token see everything and change nothing', async () => {
    const headers = { authorization: `Bearer ${READ}` }
    for (const path of ['/-/status', '/-/metrics']) {
      expect(await ask(gateway.url, 'GET', path, headers)).toMatchObject({ status: 200 })
    }
    for (const path of ['/-/apply', '/-/refresh']) {
      const expected = { status: 403, code: 'admin.read_only' }
      expect(await ask(gateway.url, 'POST', path, headers)).toEqual(expected)
    }
  })

  it('of Access read, and write when they are named', async () => {
    const ann = { 'cf-access-jwt-assertion': await team.token() }
    const bob = {
      'cf-access-jwt-assertion': await team.token({ claims: { email: 'bob@acme.example' } }),
    }
    expect(await ask(gateway.url, 'GET', '/-/status', bob)).toMatchObject({ status: 200 })
    expect(await ask(gateway.url, 'POST', '/-/refresh', ann)).toMatchObject({ status: 200 })
    expect(await ask(gateway.url, 'POST', '/-/refresh', bob)).toEqual({
      status: 403,
      code: 'admin.read_only',
    })
  })

  it('of Access whom another site makes write are refused', async () => {
    const ann = { 'cf-access-jwt-assertion': await team.token() }
    const own = new URL(gateway.url).origin
    for (const [origin, status] of [
      ['https://evil.example', 403],
      ['null', 403],
      [own, 200],
    ] as const) {
      const answer = await ask(gateway.url, 'POST', '/-/refresh', { ...ann, origin })
      expect([origin, answer.status]).toEqual([origin, status])
    }
  })

  it('of Access with a token for something else are nobody', async () => {
    const token = await team.token({ audience: 'e'.repeat(64) })
    const answer = await ask(gateway.url, 'GET', '/-/status', { 'cf-access-jwt-assertion': token })
    expect(answer).toEqual({ status: 401, code: 'admin.unauthorized' })
  })

  it('of Access are written into the revision, whoever they say they are', async () => {
    const resources = upstreamAndRoute(gateway.origin.url, 'other')
    const { revision } = await gateway.status()
    const response = await fetch(`${gateway.url}/-/apply`, {
      method: 'POST',
      headers: { 'cf-access-jwt-assertion': await team.token() },
      body: JSON.stringify({ resources, base: revision, prune: true, by: 'the queen' }),
    })
    expect(response.status).toBe(200)
    const { readFileSync } = await import('node:fs')
    const record: unknown = JSON.parse(
      readFileSync(`${gateway.kv}/revision.${revision + 1}`, 'utf8'),
    )
    expect(record).toMatchObject({ by: 'ann@acme.example' })
  })

  it('who guess are held up, and no token is in the log', async () => {
    const answers: number[] = []
    for (let i = 0; i < 12; i++) {
      const headers = { authorization: `Bearer guess-${i}` }
      answers.push((await ask(gateway.twin, 'GET', '/-/status', headers)).status)
    }
    expect(answers).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429])
    expect(gateway.output()).not.toMatch(/guess-|test-token|a token that reads|eyJ/)
  })
})

describe('the admin host', () => {
  let gateway: TestGateway
  let origin: Origin
  beforeAll(async () => {
    origin = await startOrigin()
    // workerd is asked by its address until it is ready
    gateway = gatewayOf(await startWorkerd({ vars: { ADMIN_HOST: '127.0.0.1' } }), origin)
    await gateway.policy(upstreamAndRoute(origin.url))
  })
  afterAll(() => gateway.stop())

  it('has the admin API, with and without a port', async () => {
    expect(await askHost(gateway.url, '/-/status', '127.0.0.1')).toBe(200)
    expect(await askHost(gateway.url, '/-/status', new URL(gateway.url).host)).toBe(200)
  })

  it('is the only one: elsewhere the same paths belong to the routes', async () => {
    for (const path of ['/-/status', '/-/healthz', '/-/apply', '/-/', '/-']) {
      expect(await askHost(gateway.url, path, 'shop.example')).toBe(200)
      expect(origin.last.target).toBe(path)
    }
  })
})
