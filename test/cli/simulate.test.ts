/** `postern rollout simulate`: both versions of a plugin on the same requests, in a thread, without a gateway. */
import { describe, expect, it } from 'vitest'
import { SHADOW_DIFFERENCES } from '../../src/rollout/shadow-comparison.ts'
import {
  type Fixtures,
  found,
  lines,
  simulated,
  simulatedPolicy,
  type SimulatedPolicy,
} from '../support/simulated-policy.ts'

const PROBE: Fixtures = { probe: 'test/fixtures/probe/probe-0.2.1.wasm' }
const PROBED: SimulatedPolicy = { stable: 'probe:1.0.0', stableConfig: { quiet: true } }
const GET = { url: 'http://shop.example/items' }

const script = (steps: object): object => ({ steps, quiet: true, quiet_calls: true })

describe('a candidate that does the same', () => {
  it.each<[string, SimulatedPolicy, object[]]>([
    [
      'in Rust, with bodies',
      {
        stable: 'mask-card-numbers:1.0.0',
        stableConfig: { direction: 'both', content_types: ['application/json'] },
        candidateConfig: { content_types: ['application/json'], direction: 'both' },
      },
      [
        {
          ...GET,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"card":"4111 1111 1111 1111"}',
          response: { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' },
        },
      ],
    ],
    [
      'in Go, with random ids',
      { stable: 'request-id:1.0.0', candidate: 'request-id:1.0.0', candidateConfig: {} },
      [GET, GET, GET],
    ],
    [
      'in AssemblyScript, with a random choice',
      {
        stable: 'ab-cookie:1.0.0',
        candidate: 'ab-cookie:1.0.0',
        stableConfig: {
          experiment: 'e',
          variants: [
            { name: 'a', weight: 50 },
            { name: 'b', weight: 50 },
          ],
        },
      },
      [GET, GET, GET],
    ],
  ])('%s: exit code 0', async (_language, policy, requests) => {
    const { exitCode, report } = await simulated(policy, lines(...requests))
    expect([exitCode, report.compared, report.different]).toEqual([0, requests.length, 0])
  })

  it('has shared data of its own, so that one which counts requests counts the same', async () => {
    const counts = script({
      request_headers: [
        { call: 'shared_data_get', key: 'n', save: 'n' },
        { call: 'set_header', name: 'x-n', value: { saved: 'n' } },
        { call: 'shared_data_set', key: 'n', value: { concat: [{ saved: 'n' }, '1'] } },
      ],
    })
    const { exitCode, report } = await simulated(
      { ...PROBED, stableConfig: counts, candidateConfig: counts },
      lines(GET, GET, GET),
      { fixtures: PROBE },
    )
    expect([exitCode, report.compared]).toEqual([0, 3])
  })
})

describe('a candidate that does otherwise', () => {
  it('is told in which of nine ways: exit code 3', async () => {
    const at = (path: string, call: object): object => ({ ...call, if: { path } })
    const headers = [
      at('/trap', { call: 'trap', kind: 'unreachable' }),
      at('/held', { call: 'return', action: 1 }),
      at('/reset', { call: 'close_request' }),
      at('/local-reply', { call: 'local_reply', status: 403 }),
      at('/request-headers', { call: 'set_header', name: 'x-new', value: '1' }),
    ]
    const candidateConfig = script({
      request_headers: headers,
      request_body: [at('/request-body', { call: 'set_body', value: 'other' })],
      response_headers: [
        at('/status', { call: 'set_header', name: ':status', value: '404' }),
        at('/response-headers', { call: 'add_header', name: 'x-new', value: '1' }),
      ],
      response_body: [at('/response-body', { call: 'set_body', value: 'other' })],
    })
    // one that does the same stands between them, which a trap or a pause must not change
    const requests = SHADOW_DIFFERENCES.flatMap((path) =>
      [path, 'same'].map((one) => ({
        url: `http://shop.example/${one}`,
        method: 'POST',
        headers: { 'content-length': '2' },
        body: 'ab',
      })),
    )
    const { exitCode, report } = await simulated(
      { ...PROBED, candidateConfig },
      lines(...requests),
      { fixtures: PROBE, args: ['--samples', '20'] },
    )
    const { samples, stable, candidate } = report
    const ways = samples.map(({ request, differences }) => ({
      [request.replace('POST /', '')]: differences.map((one) => one.class),
    }))
    expect(ways).toEqual(SHADOW_DIFFERENCES.map((name) => ({ [name]: [name] })))
    expect([exitCode, report.compared, report.different]).toEqual([3, 18, 9])
    expect([stable.traps, candidate.traps, candidate.localReplies]).toEqual([0, 1, { 403: 1 }])
    expect(candidate.outcomes).toEqual({ failed: 1, held: 1, reset: 1 })
    expect(candidate.hostCalls).toBeGreaterThan(stable.hostCalls)
  })

  it('is seen through the plugins behind it', async () => {
    const denies = {
      apiVersion: 'extensions.istio.io/v1alpha1',
      kind: 'WasmPlugin',
      metadata: { name: 'behind' },
      spec: {
        url: 'oci://r.test/probe:1.0.0',
        phase: 'STATS',
        pluginConfig: script({
          request_headers: [
            { call: 'local_reply', status: 402, if: { header_is: ['x-plan', 'none'] } },
          ],
        }),
      },
    }
    const { report } = await simulated(
      {
        stable: 'header-policy:1.0.0',
        stableConfig: { request: { set: { 'x-plan': 'gold' } } },
        candidateConfig: { request: { set: { 'x-plan': 'none' } } },
        plugin: { phase: 'AUTHN' },
        more: [denies],
      },
      lines(GET),
      { fixtures: PROBE },
    )
    expect(found(report)).toEqual(['local-reply'])
    expect([report.stable.localReplies, report.candidate.localReplies]).toEqual([{}, { 402: 1 }])
  })

  it('that fails with both is no equality that is kept quiet', async () => {
    const fails = {
      apiVersion: 'extensions.istio.io/v1alpha1',
      kind: 'WasmPlugin',
      metadata: { name: 'broken' },
      spec: {
        url: 'oci://r.test/probe:1.0.0',
        pluginConfig: script({ request_headers: [{ call: 'trap', kind: 'unreachable' }] }),
      },
    }
    const { exitCode, report } = await simulated(
      { ...PROBED, candidateConfig: { quiet: false }, more: [fails] },
      lines(GET, GET),
      { fixtures: PROBE },
    )
    expect([exitCode, report.failedAlike.requests]).toEqual([0, 2])
    expect(report.failedAlike.first[0]).toBe('t.jsonl:1')
  })

  it('is told with masked values, unless somebody asks for them', async () => {
    const policy = {
      stable: 'header-policy:1.0.0',
      stableConfig: { request: { set: { 'x-a': 'old secret', 'x-b': '1' } } },
      candidateConfig: { request: { set: { 'x-a': 'new secret', 'x-b': '2' } } },
    }
    const { postern } = await simulatedPolicy(policy, {
      't.jsonl': lines({ ...GET, url: 'http://shop.example/items?token=hidden&page=2' }),
    })
    const command = ['rollout', 'simulate', 'next', '-f', 'policy.yaml', '--traffic', 't.jsonl']
    const { exitCode, stdout } = await postern(...command, '--show', 'X-B')
    expect(exitCode).toBe(3)
    expect(stdout).toContain('~ x-a: *** → ***')
    expect(stdout).toContain('~ x-b: 1 → 2')
    expect(stdout).toContain('t.jsonl:1: GET /items?token=***&page=*** (default/shop)')
    expect(stdout).toMatch(/request-headers +1 +100\.0 %/)
    expect(stdout).not.toContain('secret')
    expect(stdout).not.toContain('hidden')
  })

  it('exits with 0 where the difference is none of those asked for', async () => {
    const policy = {
      stable: 'header-policy:1.0.0',
      stableConfig: {},
      candidateConfig: { response: { set: { 'x-a': '1' } } },
    }
    const only = ['--fail-on', 'status,local-reply,trap']
    const { exitCode, report } = await simulated(policy, lines(GET), { args: only })
    expect([exitCode, found(report)]).toEqual([0, ['response-headers']])
  })
})

describe('a guest that does not come back', () => {
  it('is ended, and the rest is played by new ones', async () => {
    const loops = script({ request_headers: [{ call: 'loop', if: { path: '/loop' } }] })
    const { exitCode, report, stderr } = await simulated(
      { ...PROBED, candidateConfig: loops },
      lines(GET, { url: 'http://shop.example/loop' }, GET),
      { fixtures: PROBE, args: ['--timeout', '3s'] },
    )
    expect(exitCode).toBe(3)
    expect(report.lost).toEqual([{ place: 't.jsonl:2', side: 'candidate' }])
    expect([report.compared, report.different, found(report)]).toEqual([3, 1, ['held']])
    expect(stderr).toContain('t.jsonl:2 did not come back')
  })

  it('is told while it starts, too', async () => {
    const { postern } = await simulatedPolicy(
      { ...PROBED, candidateConfig: script({ configure: [{ call: 'loop' }] }) },
      { 't.jsonl': lines(GET) },
      PROBE,
    )
    const command = ['rollout', 'simulate', 'next', '-f', 'policy.yaml', '--traffic', 't.jsonl']
    const { exitCode, stderr } = await postern(...command, '--timeout', '3s')
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining('The candidate does not start: it has not started within 3 s'),
    ])
  })

  it('is none that calls out again and again: its calls end', async () => {
    const call = {
      call: 'http_call',
      upstream: 'shop',
      headers: [
        [':method', 'GET'],
        [':path', '/'],
        [':authority', 'shop'],
      ],
    }
    const again = script({
      request_headers: [call, { call: 'return', action: 1 }],
      http_call_response: [call],
    })
    const { exitCode, report } = await simulated(
      { ...PROBED, candidateConfig: again },
      lines(GET),
      {
        fixtures: PROBE,
      },
    )
    expect([exitCode, found(report)]).toEqual([3, ['held']])
    expect(report.candidate.callouts).toBeGreaterThan(10)
  })

  it('starts with a reason when it refuses its configuration', async () => {
    const { postern } = await simulatedPolicy(
      { stable: 'header-policy:1.0.0', candidateConfig: { request: { sett: {} } } },
      { 't.jsonl': lines(GET) },
    )
    const command = ['rollout', 'simulate', 'next', '-f', 'policy.yaml', '--traffic', 't.jsonl']
    const { exitCode, stderr } = await postern(...command)
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/The candidate does not start: .*\[simulate\.not_started\]/s)
    expect(stderr).toContain('sett')
  })
})

describe('callouts', () => {
  const AUTHZ: SimulatedPolicy = {
    stable: 'remote-authz:1.0.0',
    stableConfig: { upstream: 'authz', path: '/check' },
    candidateConfig: { upstream: 'authz', path: '/v2/check' },
    more: [
      {
        apiVersion: 'postern.dev/v1alpha1',
        kind: 'Upstream',
        metadata: { name: 'authz' },
        spec: { service: 'AUTHZ' },
      },
    ],
  }
  const allows = { upstream: 'authz', path: '/check', response: { status: 200 } }

  it('get the answers of the recording, and otherwise nobody answers', async () => {
    const { exitCode, report } = await simulated(AUTHZ, lines({ ...GET, callouts: [allows] }, GET))
    expect([exitCode, found(report), report.different]).toEqual([3, ['local-reply'], 1])
    expect(report.stable.blocked).toEqual({ 'authz GET /check': 1 })
    expect(report.candidate.blocked).toEqual({ 'authz GET /v2/check': 2 })
  })

  it('get the answers that a file has for all requests', async () => {
    const files = {
      'authz.jsonl': lines(allows, { ...allows, path: '/v2/*', method: 'GET' }),
    }
    const args = ['--callouts', 'authz.jsonl']
    const { exitCode, report } = await simulated(AUTHZ, lines(GET, GET), { files, args })
    expect([exitCode, report.stable.callouts, report.candidate.callouts]).toEqual([0, 2, 2])
  })
})

describe('the audience', () => {
  // otherwise requests without a route have it as well: the Gateway's plugins see them
  const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'shop' }]

  it('is what is compared, and steps say how many of it would get the candidate', async () => {
    const audience = { matches: [{ path: { type: 'PathPrefix', value: '/beta' } }] }
    const requests = [
      { url: 'http://shop.example/beta/1', headers: { cookie: 'session=ann' } },
      { url: 'http://shop.example/beta/2' },
      { url: 'http://shop.example/other' },
      { url: 'http://elsewhere.example/beta' },
    ]
    const { exitCode, report } = await simulated(
      {
        stable: 'header-policy:1.0.0',
        stableConfig: { request: { set: { 'x-a': '1' } } },
        candidateConfig: { request: { set: { 'x-a': '2' } } },
        rollout: { audience },
        plugin: { targetRefs },
      },
      lines(...requests),
    )
    expect([exitCode, report.compared, report.outside]).toEqual([
      3,
      2,
      { 'no-route': 1, 'no-plugin': 0, audience: 1 },
    ])
    expect(report.withoutKey).toBe(1)
    expect(report.steps.at(-1)).toEqual({ step: '100 %', candidate: 2 })
  })

  it('may have none of the requests: that is no result', async () => {
    const { postern } = await simulatedPolicy(
      { stable: 'header-policy:1.0.0', candidateConfig: {}, plugin: { targetRefs } },
      { 't.jsonl': lines({ url: 'http://elsewhere.example/' }) },
    )
    const command = ['rollout', 'simulate', 'next', '-f', 'policy.yaml', '--traffic', 't.jsonl']
    const { exitCode, stderr } = await postern(...command)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('[simulate.no_audience]')
    expect(stderr).toContain('1: no route takes them')
  })
})
