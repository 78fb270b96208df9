/** A promotion where keys are trusted: a revision like any other, it runs when it is signed. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type CommandLine, type CommandResult, commandLine } from '../support/command-line.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { upstreamAndRoute } from '../support/policy.ts'
import { marking, pluginRollout } from '../support/rollout-policy.ts'
import { ADMIN_TOKEN } from '../support/workerd.ts'

let line: CommandLine
let gateway: TestGateway
let key: string
beforeAll(async () => {
  // the key is there before the gateway that trusts it
  line = await commandLine({}, { fetch, env: { USER: 'ada', ADMIN_TOKEN } })
  key = (await line.postern('keys', 'new', '--out', 'our.key')).stdout.trim()
  gateway = await startGateway({
    vars: {
      TRUSTED_KEYS: key,
      REFRESH_SECONDS: '0.2',
      REPORT_SECONDS: '0.2',
      RISE_LEAD_SECONDS: '0',
    },
  })
})
afterAll(() => gateway.stop())

const postern = (...args: string[]): Promise<CommandResult> =>
  line.postern(...args, '--gateway', gateway.url)

async function mark(): Promise<string | null> {
  const response = await gateway.fetch('/', { headers: { 'x-user': 'somebody' } })
  await response.arrayBuffer()
  return response.headers.get('x-answered')
}

async function phase(): Promise<string | undefined> {
  const { stdout } = await postern('rollout', 'status', '--json')
  return (JSON.parse(stdout) as { rollouts: Record<string, { phase: string }> }).rollouts[
    'default.next'
  ]?.phase
}

it('is refused unsigned, which changes nothing, and runs signed', async () => {
  const steps = [{ weight: 100, pause: '0s' }]
  const policy = [...upstreamAndRoute(gateway.origin.url), marking(), pluginRollout({ steps })]
  writeFileSync(
    join(line.cwd, 'policy.yaml'),
    policy.map((one) => JSON.stringify(one)).join('\n---\n'),
  )
  const applied = await postern('apply', '-f', 'policy.yaml', '--sign', 'our.key')
  expect(applied).toMatchObject({ exitCode: 0 })
  expect(await postern('rollout', 'start', 'next')).toMatchObject({ exitCode: 0 })
  const patience = { timeout: 10_000, interval: 100 }
  await expect.poll(phase, patience).toBe('complete')
  const before = (await gateway.status()).revision

  const unsigned = await postern('rollout', 'promote', 'next')
  expect(unsigned).toMatchObject({ exitCode: 1 })
  expect(unsigned.stderr).toContain('[config.signature_missing]')
  expect(unsigned.stderr).toContain('--sign')
  expect([await phase(), (await gateway.status()).revision]).toEqual(['complete', before])

  // a key that nobody here trusts
  await line.postern('keys', 'new', '--out', 'other.key')
  const foreign = await postern('rollout', 'promote', 'next', '--sign', 'other.key')
  expect(foreign).toMatchObject({ exitCode: 1 })
  expect(foreign.stderr).toContain('[config.signature_key_unknown]')

  const planned = await postern('rollout', 'promote', 'next', '--sign', 'our.key', '--dry-run')
  expect(planned).toMatchObject({ exitCode: 0 })
  expect(await phase()).toBe('complete')
  const signed = await postern('rollout', 'promote', 'next', '--sign', 'our.key', '--wait')
  expect(signed).toMatchObject({ exitCode: 0 })
  await expect.poll(phase, patience).toBe('promoted')
  expect(await mark()).toBe('new')
  const { stdout } = await postern('history', '--json')
  const { revisions } = JSON.parse(stdout) as {
    revisions: { why: string; signature?: { keyId: string } }[]
  }
  expect(revisions[0]).toMatchObject({
    why: 'promoted default.next run 1',
    signature: { keyId: key.slice(8, 24) },
  })
})
