/** `postern explain` against the built Worker: the same way as a request, and nobody notices. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ExplanationAnswer, StepAnswer } from '../../src/cli/explanation-answer.ts'
import { send } from '../support/client.ts'
import { commandLine } from '../support/command-line.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { pluginPolicy, probe, route, upstream, wasmPlugin } from '../support/policy.ts'
import { ADMIN_TOKEN } from '../support/workerd.ts'

const READ = 'a token that reads'
const SECRET = 'Bearer s3cret-of-the-client'

let gateway: TestGateway
let revision: number

/** A route of one host with a condition on a header. */
const BETA = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'beta' },
  spec: {
    hostnames: ['shop.example'],
    rules: [
      {
        matches: [
          {
            path: { type: 'PathPrefix', value: '/api' },
            headers: [{ name: 'x-beta', value: 'yes' }],
          },
          { path: { type: 'Exact', value: '/api/old' }, method: 'POST' },
        ],
        backendRefs: [
          { group: 'postern.dev', kind: 'Upstream', name: 'origin', weight: 3 },
          { group: 'postern.dev', kind: 'Upstream', name: 'other', weight: 1 },
        ],
      },
    ],
  },
}

/** Rules that do more than sending a request on, on a host of their own. */
const RULES = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'rules' },
  spec: {
    hostnames: ['rules.example'],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/frail' } }],
        filters: [
          {
            type: 'RequestHeaderModifier',
            requestHeaderModifier: { set: [{ name: 'x-api-key', value: 'k3y-of-the-upstream' }] },
          },
          {
            type: 'URLRewrite',
            urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/v2' } },
          },
        ],
        backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: 'frail' }],
      },
      {
        matches: [{ path: { type: 'Exact', value: '/moved' } }],
        filters: [
          {
            type: 'RequestRedirect',
            requestRedirect: { hostname: 'new.example', statusCode: 301 },
          },
        ],
      },
    ],
  },
}

const POLICY = (url: string): object[] => [
  upstream('origin', { url }),
  upstream('other', { url }),
  upstream('frail', { url, outlierDetection: { consecutive5xxErrors: 1, baseEjectionMs: 60_000 } }),
  upstream('authz', { url: `${url}/authz` }),
  route('all', '/', 'origin'),
  BETA,
  RULES,
  probe(
    'headers',
    {
      request_headers: [
        { call: 'add_header', name: 'x-new', value: 'a' },
        { call: 'set_header', name: 'authorization', value: 'Bearer upstream-s3cret' },
        { call: 'remove_header', name: 'x-drop' },
        { call: 'log', level: 2, message: 'sent with Bearer upstream-s3cret' },
      ],
      response_headers: [{ call: 'set_header', name: 'x-done', value: 'yes' }],
    },
    { priority: 10 },
  ),
  probe('body', { request_body: [{ call: 'set_body', value: 'short' }] }, { priority: 5 }, [
    'beta',
  ]),
  probe('gate', {
    request_headers: [
      {
        call: 'local_reply',
        status: 403,
        body: 'no',
        headers: [['content-type', 'text/plain']],
        if: { header: 'x-bad' },
      },
    ],
  }),
  probe(
    'authz',
    {
      request_headers: [
        {
          call: 'http_call',
          upstream: 'authz',
          headers: [
            [':method', 'GET'],
            [':path', '/check'],
            [':authority', 'authz'],
          ],
        },
        { call: 'return', action: 1 },
      ],
      http_call_response: [
        { call: 'set_effective_context', issuer: true },
        { call: 'add_header', map: 'request', name: 'x-checked', value: 'yes' },
        { call: 'continue_request' },
      ],
    },
    {},
    ['beta'],
  ),
  wasmPlugin(
    'elsewhere',
    'oci://fixtures/probe:0.2.1',
    {},
    { selector: { matchLabels: { store: '007' } } },
  ),
  wasmPlugin('once', 'oci://fixtures/probe:0.2.1', {}),
  pluginPolicy('once', { singleton: true }),
]

beforeAll(async () => {
  gateway = await startGateway({ vars: { ADMIN_READ_TOKEN: READ, LOG_LEVEL: 'info' } })
  revision = await gateway.policy(POLICY(gateway.origin.url))
})
afterAll(() => gateway.stop())
beforeEach(() => gateway.origin.reset())

async function postern(...argv: string[]) {
  const { postern: run } = await commandLine({}, { fetch })
  return run('explain', '--gateway', gateway.url, ...argv)
}

async function explained(...argv: string[]): Promise<ExplanationAnswer> {
  const { exitCode, stdout, stderr } = await postern('--token', READ, '--json', ...argv)
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stdout}${stderr}`)
  return JSON.parse(stdout) as ExplanationAnswer
}

const BETA_URL = ['--url', 'https://shop.example/api/x', '--header', 'X-Beta: yes']

describe('where a request goes', () => {
  it('is the route of its host whose conditions hold, by weight', async () => {
    expect(await explained(...BETA_URL)).toMatchObject({
      revision,
      route: { name: 'default/beta', rule: 0, hostname: 'shop.example' },
      backends: [
        { upstream: 'origin', to: gateway.origin.url, percent: 75 },
        { upstream: 'other', percent: 25 },
      ],
    })
  })

  it('is explained by the first condition of each other match that does not hold', async () => {
    const { route: won, candidates } = await explained('--url', 'https://shop.example/api/old')
    expect(won?.name).toBe('default/all')
    const own = candidates.filter(({ route: name }) => name !== 'default/rules')
    expect(own.map(({ route, match, failed }) => [route, match, failed])).toEqual([
      ['default/beta', 'Exact /api/old, method POST', 'method POST does not hold'],
      ['default/beta', 'PathPrefix /api, header x-beta', 'header x-beta does not hold'],
      ['default/all', 'PathPrefix /', undefined],
    ])
    const other = await explained('--url', 'https://other.example/')
    expect(other.candidates.map(({ failed }) => failed).sort()).toEqual([
      'host: other.example is not rules.example',
      'host: other.example is not rules.example',
      'host: other.example is not shop.example',
      'host: other.example is not shop.example',
      undefined,
    ])
    const beaten = await explained(...BETA_URL)
    expect(beaten.candidates.find(({ route }) => route === 'default/all')).toMatchObject({
      failed: 'it holds, and the match that won comes before it',
    })
  })

  it('goes through the plugins of its route in order, and says why not through the others', async () => {
    const { chain, skipped } = await explained('--url', 'https://other.example/')
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
    const { filters, run } = await explained('--url', 'https://rules.example/frail/a', '--run')
    expect(filters).toMatchObject({
      requestHeaders: { set: [['x-api-key', '***']] },
      rewrite: { path: { type: 'prefix', value: '/v2' } },
    })
    expect(run?.asked).toMatchObject([{ url: `${gateway.origin.url}/v2/a` }])
    expect(JSON.stringify(run)).not.toContain('k3y')
  })

  it('redirects in a run as it does', async () => {
    const { run, backends } = await explained('--url', 'https://rules.example/moved', '--run')
    expect(backends).toEqual([])
    expect(run?.response).toMatchObject({ status: 301 })
    expect(run?.response.headers).toContainEqual(['location', 'https://new.example/moved'])
    expect(run?.asked).toEqual([])
  })

  it('has an upstream that is left alone for now', async () => {
    const backends = async () => (await explained('--url', 'https://rules.example/frail')).backends
    expect((await backends())[0]?.ejected).toBeUndefined()
    gateway.origin.answer((exchange) => exchange.reply(500, [], 'broken'))
    const { port } = new URL(gateway.url)
    await send(`${gateway.url}/frail`, { headers: [['host', `rules.example:${port}`]] })
    expect((await backends())[0]?.ejected).toBe(true)
  })

  it('is none where nothing matches: then the plugins of the Gateway see the request', async () => {
    const all = POLICY(gateway.origin.url)
    revision = await gateway.policy(all.filter((one) => !JSON.stringify(one).includes('"all"')))
    try {
      const argv = ['--token', READ, '--url', 'https://rules.example/x', '--run']
      const { exitCode, stdout } = await postern('--json', ...argv)
      expect(exitCode).toBe(3)
      const { route: won, chain, gateway: whose, run } = JSON.parse(stdout) as ExplanationAnswer
      expect([won, whose, run?.response.status]).toEqual([null, 'default/default', 404])
      expect(chain.map(({ plugin }) => plugin)).toEqual(['default.headers', 'default.gate'])
      expect((await postern(...argv)).stdout).toContain('No route takes it: 404 route.none')
    } finally {
      revision = await gateway.policy(all)
    }
  })
})

describe('an older revision', () => {
  it('is explained as it was', async () => {
    const before = revision
    revision = await gateway.policy(POLICY(gateway.origin.url).slice(0, 5))
    try {
      expect((await explained(...BETA_URL)).route?.name).toBe('default/all')
      const old = await explained(...BETA_URL, '--at', String(before))
      expect([old.revision, old.route?.name]).toEqual([before, 'default/beta'])
      expect(old.chain.map(({ plugin }) => plugin)).toContain('default.headers')
    } finally {
      revision = await gateway.policy(POLICY(gateway.origin.url))
    }
  })

  it('that nobody has is an error of its own', async () => {
    const { exitCode, stderr } = await postern('--token', READ, ...BETA_URL, '--at', '999')
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('explain.revision_unknown')])
  })
})

const of = (steps: readonly StepAnswer[], plugin: string): readonly StepAnswer[] =>
  steps.filter((step) => step.plugin === plugin)

describe('a run', () => {
  it('shows what each plugin changes, and nothing leaves the gateway', async () => {
    const { run } = await explained(
      '--url',
      'https://x.example/?token=abcdef',
      '--run',
      '--header',
      'x-drop: b',
    )
    const steps = run?.steps ?? []
    expect(of(steps, 'default.headers')).toMatchObject([
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
    const { run } = await explained('--url', 'https://x.example/', '--run', '--header', 'x-bad: 1')
    expect(of(run?.steps ?? [], 'default.gate')[0]?.replied).toBe(true)
    expect(run?.response).toMatchObject({ status: 403, bytes: 2, text: 'no' })
    expect(run?.asked).toEqual([])
  })

  it('shows what becomes of a body, and that a callout has failed', async () => {
    const { run } = await explained(...BETA_URL, '--run', '--data', 'a long body')
    const steps = run?.steps ?? []
    expect(of(steps, 'default.body')).toContainEqual(
      expect.objectContaining({ callback: 'request body', body: { before: 11, after: 5 } }),
    )
    expect(
      of(steps, 'default.authz').map(({ callback, returned }) => [callback, returned]),
    ).toEqual(
      expect.arrayContaining([
        ['request headers', 'pause'],
        ['http call response', undefined],
      ]) as unknown[],
    )
    expect(of(steps, 'default.authz')).toContainEqual(
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
    const masked = JSON.stringify(await explained(...run))
    expect(masked).not.toMatch(/s3cret|abcdef/)
    expect(masked).toContain('Bearer ***')
    expect(masked).toContain('sent with ***')
    const shown = await postern('--token', ADMIN_TOKEN, '--json', '--show-secrets', ...run)
    expect(shown.stdout).toContain(SECRET)
    expect(shown.stdout).toContain('sent with Bearer upstream-s3cret')
    const refused = await postern('--token', READ, '--show-secrets', ...run)
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('read_only')])
  })

  it('asks upstream and callouts when it is told to, by whoever may write', async () => {
    const argv = [...BETA_URL, '--run', '--upstream', '--json']
    expect((await postern('--token', READ, ...argv)).exitCode).toBe(1)
    expect(gateway.origin.requests).toEqual([])
    const { stdout } = await postern('--token', ADMIN_TOKEN, ...argv)
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
    await explained('--url', 'https://x.example/', '--run', '--header', 'x-bad: 1')
    expect([(await gateway.status()).vms, await metrics()]).toEqual(before)
  })
})

describe('as text', () => {
  it('says where, through what, and why not', async () => {
    const { exitCode, stdout } = await postern(
      '--token',
      READ,
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
    expect((await postern('--token', READ, ...argv)).exitCode).toBe(2)
  })
})
