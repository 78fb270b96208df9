/** `postern status` of one isolate and of many nodes, help, and commands called wrongly. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { NodeView } from '../../src/observe/index.ts'
import { TOKEN } from '../support/in-process-gateway.ts'
import { BOUND, policyFolder } from '../support/policy-folder.ts'

describe('postern status', () => {
  it('shows what runs', async () => {
    const { postern, gateway } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const { exitCode, stdout } = await postern('status')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:8787 runs revision 1, issued \d{4}-/)
    expect(stdout).toContain('default.headers  header-policy 1.0.0  aaaaaaaaaaaa  idle')
    expect(stdout).not.toContain('REFUSED')
    gateway.values.set('active', '{')
    await gateway.fetch('http://x/-/refresh', {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    const after = await postern('status')
    expect(after.exitCode).toBe(3)
    expect(after.stdout).toMatch(
      /^\S+  here +-  +config.pointer_invalid  active: not JSON \(1 characters\)$/m,
    )
  })

  it('does not count what was refused before it was put right', async () => {
    const { postern, gateway } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const pointer = gateway.values.get('active') ?? ''
    const refresh = (): Promise<Response> =>
      gateway.fetch('http://x/-/refresh', {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}` },
      })
    gateway.values.set('active', '{')
    await refresh()
    // its time must be a later one
    await new Promise((resolve) => setTimeout(resolve, 5))
    gateway.values.set('active', pointer)
    await refresh()
    const { exitCode, stdout } = await postern('status')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^EARLIER +REVISION +CODE/m)
    expect(stdout).not.toContain('REFUSED AT')
  })

  it('exits with 1 for a gateway that runs nothing', async () => {
    const { postern } = await policyFolder()
    const { exitCode, stdout } = await postern('status')
    expect([exitCode, stdout.includes('runs nothing')]).toEqual([1, true])
  })

  it('passes the answer on with --json', async () => {
    const { postern } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const { stdout } = await postern('status', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      current: true,
      revision: 1,
      modules: BOUND,
    })
  })
})

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString()

/** A node as its reports show it. */
function node(name: string, more: Partial<NodeView> = {}): NodeView {
  return {
    node: name,
    labels: { region: 'eu' },
    state: 'current',
    revision: 1,
    behind: null,
    seenAt: ago(4),
    refused: [],
    plugins: [],
    count: 2,
    isolates: [],
    ...more,
  }
}

const BEHIND = node('fra', { state: 'behind', revision: 3, behind: { revisions: 4, seconds: 300 } })

describe('the nodes of a gateway', () => {
  // ages are shown in seconds: none passes while a test runs
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(BEHIND.seenAt) + 4000 })
  })
  afterEach(() => void vi.useRealTimers())

  async function statusOf(nodes: readonly NodeView[] | null, ...options: string[]) {
    const { postern, gateway } = await policyFolder()
    await postern('apply', '-f', 'policy')
    gateway.nodes = nodes
    return postern('status', ...options)
  }

  it('are a table, with how far behind they are', async () => {
    const { exitCode, stdout } = await statusOf([node('ams'), BEHIND, node('x', { labels: {} })])
    expect(exitCode).toBe(3)
    expect(stdout).toContain(`
NODE  STATE    REVISION  BEHIND              ISOLATES  LAST REPORT  LABELS
ams   current  1         -                   2         4 s ago      region=eu
fra   behind   3         4 revisions, 5 min  2         4 s ago      region=eu
x     current  1         -                   2         4 s ago
`)
  })

  it('show what they refuse, why and since when, and what runs instead', async () => {
    const refusal = {
      code: 'plugin.not_activated',
      message: 'default.waf did not start',
      at: ago(60),
      revision: 1,
      plugin: 'default.waf',
      isolates: 2,
    }
    const plugins = [
      { plugin: 'default.waf', state: 'last-good' as const, reason: 'bad rule', isolates: 2 },
    ]
    const { exitCode, stdout } = await statusOf([
      node('ams', { state: 'refused', refused: [refusal], plugins }),
    ])
    expect(exitCode).toBe(3)
    expect(stdout).toContain(
      `${refusal.at}  ams (2)  1         plugin.not_activated  default.waf did not start\n`,
    )
    expect(stdout).toContain('default.waf    ams (2)  the version before  bad rule\n')
  })

  it.each([
    ['all current', [node('ams')], [], 0],
    ['one silent', [node('ams'), node('fra', { state: 'silent', count: 0 })], [], 0],
    ['one behind for long', [BEHIND], [], 3],
    ['one behind for a while that it may be', [BEHIND], ['--grace', '301'], 0],
    ['one that may not be behind at all', [BEHIND], ['--grace', '0'], 3],
    ['one that refuses something', [node('ams', { state: 'refused' })], ['--grace', '9999'], 3],
    ['reports that cannot be had', null, [], 0],
  ])('decide the exit code: %s', async (_what, nodes, options, expected) => {
    const { exitCode } = await statusOf(nodes, ...options)
    expect(exitCode).toBe(expected)
  })

  it('that cannot be had are not taken for none', async () => {
    const { stdout } = await statusOf(null)
    expect(stdout).toContain('The reports of nodes cannot be had: this is one isolate alone.')
  })

  it('are at the hub, where the gateway reports to one', async () => {
    const { postern, gateway } = await policyFolder()
    await postern('apply', '-f', 'policy')
    gateway.nodes = null
    gateway.hub = 'https://hub.example/eu'
    const { exitCode, stdout } = await postern('status')
    expect(exitCode).toBe(0)
    expect(stdout).toContain(
      'This is one isolate alone; its node reports to https://hub.example/eu, which shows all nodes.\n',
    )
    expect(stdout).not.toContain('cannot be had')
    const { hub } = JSON.parse((await postern('status', '--json')).stdout)
    expect(hub).toBe('https://hub.example/eu')
  })

  it('are watched until all are current', async () => {
    const { postern, gateway } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const states = [
      [BEHIND],
      [node('fra', { ...BEHIND, behind: { revisions: 1, seconds: 2 } })],
      [node('fra')],
    ]
    gateway.before = () => void (gateway.nodes = states.shift() ?? null)
    const { exitCode, stdout } = await postern('status', '--watch')
    expect(exitCode).toBe(0)
    expect(stdout.match(/^fra +\w+/gm)).toEqual(['fra   behind', 'fra   behind', 'fra   current'])
  })
})

it('prints one JSON value, the last, when it watches', async () => {
  const { postern, gateway } = await policyFolder()
  await postern('apply', '-f', 'policy')
  const states = [[BEHIND], [node('fra')]]
  gateway.before = () => void (gateway.nodes = states.shift() ?? null)
  const { stdout } = await postern('status', '--watch', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ current: true, nodes: [{ node: 'fra' }] })
})

describe('called wrongly', () => {
  it.each([
    [['apply']],
    [['apply', '-f', 'policy', '--frce']],
    [['apply', '-f', 'policy', '--timeout', 'soon']],
    [['apply', '-f', 'policy', '--gateway', 'shop']],
    [['status', 'now']],
    [['status', '--grace', 'soon']],
    [['frobnicate']],
    [[]],
  ])('exits with 2: postern %j', async (argv) => {
    const { postern, gateway } = await policyFolder()
    expect((await postern(...argv)).exitCode).toBe(2)
    expect(gateway.asked).toEqual([])
  })

  it.each([[['--help']], [['apply', '--help']], [['status', '-h']], [['add', '--help']]])(
    'prints help: postern %j',
    async (argv) => {
      const { postern } = await policyFolder()
      const { exitCode, stdout } = await postern(...argv)
      expect([exitCode, stdout.startsWith('postern ')]).toEqual([0, true])
    },
  )
})
