/** `postern explain --run` against the built Worker: what plugins do, in a sandbox that nobody notices. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ExplanationAnswer } from '../../src/cli/explanation-answer.ts'
import {
  BETA_URL,
  type ExplainedGateway,
  READ_TOKEN,
  startExplainedGateway,
  stepsOf,
} from '../support/explained-gateway.ts'
import { ADMIN_TOKEN } from '../support/workerd.ts'

const SECRET = 'Bearer s3cret-of-the-client'

let gateway: ExplainedGateway
beforeAll(async () => {
  gateway = await startExplainedGateway()
})
afterAll(() => gateway.stop())
beforeEach(() => gateway.origin.reset())

describe('a run', () => {
  it('shows what each plugin changes, and nothing leaves the gateway', async () => {
    const { run } = await gateway.explained(
      '--url',
      'https://x.example/?token=abcdef',
      '--run',
      '--header',
      'x-drop: b',
    )
    const steps = run?.steps ?? []
    expect(stepsOf(steps, 'default.headers')).toMatchObject([
      {
        callback: 'request headers',
        returned: 'continue',
        requestHeaders: expect.arrayContaining([
          { name: 'x-new', after: ['a'] },
          { name: 'x-drop', before: ['b'] },
        ]) as unknown,
      },
      {
        callback: 'response headers',
        responseHeaders: [{ name: 'x-done', after: ['yes'] }],
      },
    ])
    expect(run?.response.status).toBe(200)
    expect(run?.response.headers).toContainEqual(['x-done', 'yes'])
    expect(run?.asked).toMatchObject([{ who: 'gateway', method: 'GET' }])
    expect(run?.asked[0]).not.toHaveProperty('answered')
    expect(gateway.origin.requests).toEqual([])
  })

  it('shows a reply in the place of the upstream', async () => {
    const { run } = await gateway.explained(
      '--url',
      'https://x.example/',
      '--run',
      '--header',
      'x-bad: 1',
    )
    expect(stepsOf(run?.steps, 'default.gate')[0]?.replied).toBe(true)
    expect(run?.response).toMatchObject({ status: 403, bytes: 2, text: 'no' })
    expect(run?.asked).toEqual([])
  })

  it('shows what becomes of a body, and that a callout has failed', async () => {
    const { run } = await gateway.explained(...BETA_URL, '--run', '--data', 'a long body')
    const steps = run?.steps ?? []
    expect(stepsOf(steps, 'default.body')).toContainEqual(
      expect.objectContaining({ callback: 'request body', body: { before: 11, after: 5 } }),
    )
    expect(
      stepsOf(steps, 'default.authz').map(({ callback, returned }) => [callback, returned]),
    ).toEqual(
      expect.arrayContaining([
        ['request headers', 'pause'],
        ['http call response', undefined],
      ]) as unknown[],
    )
    expect(stepsOf(steps, 'default.authz')).toContainEqual(
      expect.objectContaining({ requestHeaders: [{ name: 'x-checked', after: ['yes'] }] }),
    )
    expect(run?.asked.map(({ who, answered }) => [who, answered])).toEqual([
      ['plugin', undefined],
      ['gateway', undefined],
    ])
    expect(gateway.origin.requests).toEqual([])
  })

  it('masks secrets, also where they turn up again', async () => {
    const run = [
      '--run',
      '--url',
      'https://x.example/?token=abcdef',
      '--header',
      `authorization: ${SECRET}`,
    ]
    const masked = JSON.stringify(await gateway.explained(...run))
    expect(masked).not.toMatch(/s3cret|abcdef/)
    expect(masked).toContain('Bearer ***')
    expect(masked).toContain('sent with ***')
    const shown = await gateway.postern('--token', ADMIN_TOKEN, '--json', '--show-secrets', ...run)
    expect(shown.stdout).toContain(SECRET)
    expect(shown.stdout).toContain('sent with Bearer upstream-s3cret')
    const refused = await gateway.postern('--token', READ_TOKEN, '--show-secrets', ...run)
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('read_only')])
  })

  it('asks upstream and callouts when it is told to, by whoever may write', async () => {
    const argv = [...BETA_URL, '--run', '--upstream', '--json']
    expect((await gateway.postern('--token', READ_TOKEN, ...argv)).exitCode).toBe(1)
    expect(gateway.origin.requests).toEqual([])
    const { stdout } = await gateway.postern('--token', ADMIN_TOKEN, ...argv)
    const { run } = JSON.parse(stdout) as ExplanationAnswer
    expect(run?.asked.map(({ who, answered }) => [who, answered])).toEqual([
      ['plugin', 200],
      ['gateway', 200],
    ])
    expect(gateway.origin.requests.map(({ target }) => target)).toEqual(['/authz/check', '/api/x'])
    expect(gateway.origin.last.header('x-checked')).toBe('yes')
  })

  it('is noticed by nobody: neither by vms nor in counts', async () => {
    const metrics = async (): Promise<string> =>
      (await (await gateway.admin('/-/metrics')).text())
        .split('\n')
        .filter((line) => /rq_xx|created|active|local_replies/.test(line) && !line.startsWith('#'))
        .join('\n')
    const before = [(await gateway.status()).vms, await metrics()]
    await gateway.explained('--url', 'https://x.example/', '--run', '--header', 'x-bad: 1')
    expect([(await gateway.status()).vms, await metrics()]).toEqual(before)
  })
})
