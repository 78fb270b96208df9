/** `postern explain` against the built Worker: which way a request goes, and why no other one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ExplanationAnswer } from '../../src/cli/explanation-answer.ts'
import { send } from '../support/client.ts'
import { explainPolicy } from '../support/explain-policy.ts'
import {
  BETA_URL,
  type ExplainedGateway,
  READ_TOKEN,
  startExplainedGateway,
} from '../support/explained-gateway.ts'

let gateway: ExplainedGateway
beforeAll(async () => {
  gateway = await startExplainedGateway()
})
afterAll(() => gateway.stop())
beforeEach(() => gateway.origin.reset())

describe('where a request goes', () => {
  it('is the route of its host whose conditions hold, by weight', async () => {
    expect(await gateway.explained(...BETA_URL)).toMatchObject({
      revision: gateway.revision,
      route: { name: 'default/beta', rule: 0, hostname: 'shop.example' },
      backends: [
        { upstream: 'origin', to: gateway.origin.url, percent: 75 },
        { upstream: 'other', percent: 25 },
      ],
    })
  })

  it('is explained by the first condition of each other match that does not hold', async () => {
    const { route: won, candidates } = await gateway.explained(
      '--url',
      'https://shop.example/api/old',
    )
    expect(won?.name).toBe('default/all')
    const own = candidates.filter(({ route: name }) => name !== 'default/rules')
    expect(own.map(({ route, match, failed }) => [route, match, failed])).toEqual([
      ['default/beta', 'Exact /api/old, method POST', 'method POST does not hold'],
      ['default/beta', 'PathPrefix /api, header x-beta', 'header x-beta does not hold'],
      ['default/all', 'PathPrefix /', undefined],
    ])
    const other = await gateway.explained('--url', 'https://other.example/')
    expect(other.candidates.map(({ failed }) => failed).sort()).toEqual([
      'host: other.example is not rules.example',
      'host: other.example is not rules.example',
      'host: other.example is not shop.example',
      'host: other.example is not shop.example',
      undefined,
    ])
    const beaten = await gateway.explained(...BETA_URL)
    expect(beaten.candidates.find(({ route }) => route === 'default/all')).toMatchObject({
      failed: 'it holds, and the match that won comes before it',
    })
  })

  it('goes through the plugins of its route in order, and says why not through the others', async () => {
    const { chain, skipped } = await gateway.explained('--url', 'https://other.example/')
    expect(chain.map(({ plugin, module, state }) => [plugin, module, state])).toEqual([
      ['default.headers', 'probe 0.2.1', 'idle'],
      ['default.gate', 'probe 0.2.1', 'idle'],
    ])
    expect(Object.fromEntries(skipped.map(({ plugin, why }) => [plugin, why]))).toEqual({
      'default.authz': 'targetRefs: it is for route default/beta',
      'default.body': 'targetRefs: it is for route default/beta',
      'default.elsewhere': 'selector: this node is not store=007',
      'default.once': expect.stringMatching(/^singleton/) as string,
    })
  })
})

describe('a rule that does more', () => {
  it('is shown with its filters, and a run takes them', async () => {
    const { filters, run } = await gateway.explained(
      '--url',
      'https://rules.example/frail/a',
      '--run',
    )
    expect(filters).toMatchObject({
      requestHeaders: { set: [['x-api-key', '***']] },
      rewrite: { path: { type: 'prefix', value: '/v2' } },
    })
    expect(run?.asked).toMatchObject([{ url: `${gateway.origin.url}/v2/a` }])
    expect(JSON.stringify(run)).not.toContain('k3y')
  })

  it('redirects in a run as it does', async () => {
    const { run, backends } = await gateway.explained(
      '--url',
      'https://rules.example/moved',
      '--run',
    )
    expect(backends).toEqual([])
    expect(run?.response).toMatchObject({ status: 301 })
    expect(run?.response.headers).toContainEqual(['location', 'https://new.example/moved'])
    expect(run?.asked).toEqual([])
  })

  it('has an upstream that is left alone for now', async () => {
    const backends = async () =>
      (await gateway.explained('--url', 'https://rules.example/frail')).backends
    expect((await backends())[0]?.ejected).toBeUndefined()
    gateway.origin.answer((exchange) => exchange.reply(500, [], 'broken'))
    const { port } = new URL(gateway.url)
    await send(`${gateway.url}/frail`, { headers: [['host', `rules.example:${port}`]] })
    expect((await backends())[0]?.ejected).toBe(true)
  })

  it('is none where nothing matches: then the plugins of the Gateway see the request', async () => {
    const all = explainPolicy(gateway.origin.url)
    await gateway.policy(all.filter((one) => !JSON.stringify(one).includes('"all"')))
    try {
      const argv = ['--token', READ_TOKEN, '--url', 'https://rules.example/x', '--run']
      const { exitCode, stdout } = await gateway.postern('--json', ...argv)
      expect(exitCode).toBe(3)
      const { route: won, chain, gateway: whose, run } = JSON.parse(stdout) as ExplanationAnswer
      expect([won, whose, run?.response.status]).toEqual([null, 'default/default', 404])
      expect(chain.map(({ plugin }) => plugin)).toEqual(['default.headers', 'default.gate'])
      expect((await gateway.postern(...argv)).stdout).toContain('No route takes it: 404 route.none')
    } finally {
      await gateway.policy(all)
    }
  })
})

describe('an older revision', () => {
  it('is explained as it was', async () => {
    const before = (await gateway.status()).revision
    await gateway.policy(explainPolicy(gateway.origin.url).slice(0, 5))
    try {
      expect((await gateway.explained(...BETA_URL)).route?.name).toBe('default/all')
      const old = await gateway.explained(...BETA_URL, '--at', String(before))
      expect([old.revision, old.route?.name]).toEqual([before, 'default/beta'])
      expect(old.chain.map(({ plugin }) => plugin)).toContain('default.headers')
    } finally {
      await gateway.policy(explainPolicy(gateway.origin.url))
    }
  })

  it('that nobody has is an error of its own', async () => {
    const { exitCode, stderr } = await gateway.postern(
      '--token',
      READ_TOKEN,
      ...BETA_URL,
      '--at',
      '999',
    )
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('explain.revision_unknown')])
  })
})

describe('as text', () => {
  it('says where, through what, and why not', async () => {
    const { exitCode, stdout } = await gateway.postern(
      '--token',
      READ_TOKEN,
      '--url',
      'https://x.example/',
      '--run',
    )
    expect(exitCode).toBe(0)
    expect(stdout).toContain('route default/all, rule 0: PathPrefix /\n')
    expect(stdout).toMatch(/^ {2}to origin {2}http:\/\/127\.0\.0\.1:\d+ {2}100 %$/m)
    expect(stdout).toMatch(/^default\.headers {2}probe 0\.2\.1 /m)
    expect(stdout).toMatch(/^default\.elsewhere {2}selector: this node is not store=007$/m)
    expect(stdout).toContain('  default.headers, request headers\n    request + x-new: a\n')
    expect(stdout).toContain('nothing left the gateway')
  })

  it.each([
    [['--run']],
    [['--url', 'https://x/', '--at', 'x']],
    [['--url', 'https://x/', '--header', 'x']],
    [['--url', 'https://x/', '--upstream']],
  ])('is called wrongly with %j', async (argv) => {
    expect((await gateway.postern('--token', READ_TOKEN, ...argv)).exitCode).toBe(2)
  })
})
