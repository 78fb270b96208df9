/** What `postern rollout simulate` takes for traffic, and how it refuses what it cannot take. */
import { gzipSync } from 'node:zlib'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli/main.ts'
import type { SimulationReport } from '../../src/simulate/tally.ts'
import { found, simulatedPolicy } from '../support/simulated-policy.ts'

describe('traffic', () => {
  const POLICY = {
    stable: 'header-policy:1.0.0',
    candidateConfig: { response: { set: { 'x-a': '1' } } },
  }

  it('that is wrong is refused line by line, and nothing is played', async () => {
    const { postern } = await simulatedPolicy(POLICY, {
      't.jsonl': ['{"url":"/x"}', '', '{"url":"http://a/","metod":"GET"}', 'no'].join('\n'),
      'x.har': '{"log":{"entries":[\n{"request":{"method":"GET"},"response":{}}\n]}}',
    })
    const command = ['rollout', 'simulate', 'next', '-f', 'policy.yaml', '--traffic', 't.jsonl']
    const { exitCode, stdout, stderr } = await postern(...command, '--traffic', 'x.har')
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr.split('\n').slice(0, 5)).toEqual([
      't.jsonl:1:1: error: url: a path alone needs the header host [simulate.traffic_invalid]',
      't.jsonl:3:1: error: there is no field "metod"; did you mean "method"? [simulate.traffic_invalid]',
      't.jsonl:4:1: error: expected a JSON object on one line [simulate.traffic_invalid]',
      'x.har:2:1: error: log.entries[0].request.url: expected a text [simulate.traffic_invalid]',
      '4 errors. Nothing was played [simulate.traffic_invalid]',
    ])
  })

  it("may be a gzip'd HAR, whose answers are the upstream's", async () => {
    const har = JSON.stringify({
      log: {
        version: '1.2',
        entries: [
          {
            startedDateTime: '2026-01-31T12:00:00.000Z',
            request: {
              method: 'POST',
              url: 'http://shop.example/pay',
              headers: [
                { name: ':method', value: 'POST' },
                { name: 'Content-Type', value: 'application/x-www-form-urlencoded' },
              ],
              postData: { mimeType: '', params: [{ name: 'card', value: '4111111111111111' }] },
            },
            response: {
              status: 200,
              headers: [
                { name: 'Content-Encoding', value: 'br' },
                { name: 'Content-Type', value: 'text/plain' },
              ],
              content: { text: btoa('card 4111111111111111'), encoding: 'base64' },
            },
          },
          { request: { method: 'GET', url: 'data:,x' }, response: { status: 200 } },
        ],
      },
    })
    const line = await simulatedPolicy({
      stable: 'mask-card-numbers:1.0.0',
      stableConfig: { direction: 'response', content_types: ['image/*'] },
      candidateConfig: { direction: 'response', content_types: ['text/*'] },
    })
    await writeFile(join(line.cwd, 'shop.har.gz'), gzipSync(har))
    const command = ['rollout', 'simulate', 'next', '-f', 'policy.yaml', '--traffic']
    const { exitCode, stdout, stderr } = await line.postern(...command, 'shop.har.gz', '--json')
    const report = JSON.parse(stdout) as SimulationReport
    expect([exitCode, found(report), report.requests]).toEqual([3, ['response-body'], 1])
    expect(report.samples[0]?.place).toBe('shop.har.gz, entry 1')
    expect(stderr).toContain('1 requests for data: URLs')
  })

  it('generated from the policy is the same for the same seed', async () => {
    const { postern } = await simulatedPolicy(POLICY)
    const command = ['rollout', 'simulate', 'next', '-f', 'policy.yaml', '--json', '--generate']
    const play = async (...args: string[]): Promise<SimulationReport> =>
      JSON.parse((await postern(...command, '40', '--samples', '40', ...args)).stdout)
    const [first, second, other] = [await play(), await play(), await play('--seed', '2')]
    expect([first.compared, first.different]).toEqual([40, 40])
    expect(second.samples).toEqual(first.samples)
    expect(other.samples).not.toEqual(first.samples)
  })
})

describe('generated requests', () => {
  it('have the headers that they are given', async () => {
    const { postern } = await simulatedPolicy({
      stable: 'header-policy:1.1.0',
      stableConfig: { response: { set: { 'x-key': 'none' } } },
      candidateConfig: { response: { set: { 'x-key': '${request.header.x-api-key}' } } },
    })
    const command = ['rollout', 'simulate', 'next', '-f', 'policy.yaml', '--show', 'x-key']
    const header = ['--generate', '1', '--header', 'X-Api-Key: mine']
    const { stdout } = await postern(...command, ...header)
    expect(stdout).toContain('~ x-key: none → mine')
  })
})

describe('the example', () => {
  it('shows the one answer that would go out unmasked', async () => {
    let stdout = ''
    const policy = ['-f', 'examples/retail', '-f', 'examples/rollout-traffic/rollout.yaml']
    const traffic = ['--traffic', 'examples/rollout-traffic/shop.jsonl']
    const exitCode = await run(['rollout', 'simulate', 'mask-text-only', ...policy, ...traffic], {
      cwd: join(import.meta.dirname, '../..'),
      env: {},
      stdout: (text) => void (stdout += text),
      stderr: () => undefined,
      fetch,
    })
    expect([exitCode, stdout]).toEqual([3, expect.stringContaining('GET /orders/7')])
    expect(stdout).toMatch(/^response-body +1 +16\.7 %$/m)
    expect(stdout).toMatch(/^none +5 /m)
  })
})

describe('what is called wrongly', () => {
  it.each([
    [['next'], 'Which policy?'],
    [['next', '-f', 'policy.yaml'], 'Which requests?'],
    [['-f', 'policy.yaml', '--generate', '1'], 'Name it'],
    [['next', '-f', 'policy.yaml', '--generate', 'many'], '--generate: expected a whole number'],
    [['next', '-f', 'p', '--generate', '1', '--fail-on', 'traps'], 'there is no difference traps'],
    [['next', '-f', 'p', '--generate', '1', '--timeout', '10'], '--timeout: 10 is no time'],
    [['next', '-f', 'p', '--generate', '1', '--header', 'secret'], '--header: expected a header'],
    [['next', '-f', 'p', '--generate', '1', '--labels', 'x'], '--labels: x is no label'],
  ])('%j exits with 2', async (args, message) => {
    const { postern } = await simulatedPolicy({
      stable: 'header-policy:1.0.0',
      candidateConfig: {},
    })
    const { exitCode, stderr } = await postern('rollout', 'simulate', ...args)
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)])
  })

  it('a rollout that the files do not have exits with 1', async () => {
    const { postern } = await simulatedPolicy({
      stable: 'header-policy:1.0.0',
      candidateConfig: { request: {} },
    })
    const command = ['rollout', 'simulate', 'nxt', '-f', 'policy.yaml', '--generate', '1']
    const { exitCode, stderr } = await postern(...command)
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining(
        'default.nxt is no PluginRollout of these files; there are default.next',
      ),
    ])
  })
})
