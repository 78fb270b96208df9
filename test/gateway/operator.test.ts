/** An operator's day at the command line, with a real gateway: what each command does is seen in answers. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../support/client.ts'
import { type CommandLine, type CommandResult, commandLine } from '../support/command-line.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { ADMIN_TOKEN } from '../support/workerd.ts'

let gateway: TestGateway
let line: CommandLine
/** Runs before a request of the command line goes out. */
let before: (request: Request) => Promise<void> = () => Promise.resolve()

const routes = (origin: string): string => `apiVersion: postern.dev/v1alpha1
kind: Upstream
metadata: { name: shop }
spec: { url: '${origin}', allowPrivate: true }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop }
spec:
  rules:
    - backendRefs: [{ group: postern.dev, kind: Upstream, name: shop }]
`

const headers = (mark: string, more = ''): string => `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: headers }
spec:
  url: oci://ghcr.io/postern/header-policy:1.0.0
  pluginConfig:
    response: { set: { x-mark: ${mark} } }
${more}`

beforeAll(async () => {
  gateway = await startGateway({
    handler: (exchange) => exchange.reply(200, [], 'ok'),
    vars: { REPORT_SECONDS: '1' },
  })
  line = await commandLine(
    { 'policy/routes.yaml': routes(gateway.origin.url), 'policy/headers.yaml': headers('one') },
    {
      env: { ADMIN_TOKEN, USER: 'ann' },
      fetch: async (input, init) => {
        const request = new Request(input, init)
        await before(request.clone())
        return fetch(request)
      },
    },
  )
})
afterAll(() => gateway.stop())

const postern = (...args: string[]): Promise<CommandResult> =>
  line.postern(...args, '--gateway', gateway.url)
const write = (name: string, text: string): void => writeFileSync(join(line.cwd, name), text)
const mark = async (url = gateway.url): Promise<string | undefined> =>
  (await send(`${url}/`)).header('x-mark')

describe('an operator', () => {
  it('validates, looks at the difference, applies, breaks it, rolls back and looks back', async () => {
    expect(await line.postern('validate', '-f', 'policy')).toMatchObject({ exitCode: 0 })
    expect(await postern('diff', '-f', 'policy')).toMatchObject({ exitCode: 3 })
    expect(await postern('apply', '-f', 'policy', '--why', 'first')).toMatchObject({ exitCode: 0 })
    expect(await postern('diff', '-f', 'policy')).toMatchObject({ exitCode: 0 })
    expect(await mark()).toBe('one')

    write('policy/headers.yaml', headers('brokn'))
    const diff = await postern('diff', '-f', 'policy')
    expect(diff.stdout).toContain('configuration.response.set.x-mark changed')
    await postern('apply', '-f', 'policy', '--why', 'ticket 7')
    expect(await mark()).toBe('brokn')

    const back = await postern('rollback', '--why', 'a typo')
    expect([back.exitCode, back.stdout]).toEqual([0, expect.stringContaining('Revision 3 runs')])
    expect(await mark()).toBe('one')

    const { stdout } = await postern('history', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      revision: 3,
      revisions: [
        { revision: 3, by: 'ann', why: 'a typo', rollbackTo: 1 },
        { revision: 2, why: 'ticket 7', changes: [{ how: 'changed', name: 'default.headers' }] },
        { revision: 1, why: 'first', changed: 4 },
      ],
    })
    const { snapshot } = JSON.parse(stdout).revisions[2]
    expect(JSON.parse(stdout).revisions[0].snapshot).toBe(snapshot)
  })

  it('sees what a plugin says of a configuration it does not take, and nothing changes', async () => {
    write('policy/headers.yaml', headers('two', '    nonsense: true\n'))
    const { exitCode, stderr } = await postern('apply', '-f', 'policy')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/default\.headers did not start: .*\n {4}.*nonsense/)
    expect(stderr).toContain('[plugin.preflight_refused]')
    expect(await mark()).toBe('one')
  })

  it('is told who was first when two apply at once, and loses nothing', async () => {
    write('mine.yaml', headers('mine'))
    write('theirs.yaml', headers('theirs'))
    const text = readFileSync(join(line.cwd, 'mine.yaml'), 'utf8')
    let plans = 0
    before = async (request) => {
      if (!request.url.endsWith('/-/apply')) return
      const { dryRun } = (await request.json()) as { dryRun: boolean }
      if (dryRun) plans += 1
      // both have planned before either writes
      else while (plans < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const results = await Promise.all([
      postern('apply', '-f', 'mine.yaml', '--why', 'mine'),
      postern('apply', '-f', 'theirs.yaml', '--why', 'theirs'),
    ])
    before = () => Promise.resolve()
    expect(results.map(({ exitCode }) => exitCode).toSorted()).toEqual([0, 1])
    const [winner, loser] = results[0].exitCode === 0 ? ['mine', 'theirs'] : ['theirs', 'mine']
    const { stderr = '' } = results.find(({ exitCode }) => exitCode === 1) ?? {}
    expect(stderr).toMatch(new RegExp(`By ann at .*: ${winner}\\.\n {4}~ plugin default.headers`))
    expect(stderr).toContain('Nothing of yours was written')
    expect(stderr).toContain('[apply.conflict]')
    expect(await mark()).toBe(winner)
    expect(readFileSync(join(line.cwd, 'mine.yaml'), 'utf8')).toBe(text)
    // what it says to do next
    expect(await postern('diff', '-f', `${loser}.yaml`)).toMatchObject({ exitCode: 3 })
    expect(await postern('apply', '-f', `${loser}.yaml`)).toMatchObject({ exitCode: 0 })
    expect(await mark()).toBe(loser)
  })

  it('waits with --wait until every node that reports runs it', async () => {
    let over = false
    const traffic = (async (): Promise<void> => {
      while (!over) {
        await Promise.all([mark(), mark(gateway.twin)])
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })()
    await gateway.until('reported', ({ nodes }) => (nodes?.[0]?.count ?? 0) >= 2)
    write('policy/headers.yaml', headers('everywhere'))
    const { exitCode, stdout } = await postern('apply', '-f', 'policy', '--wait', '--json')
    expect(exitCode).toBe(0)
    const { revision, nodes } = JSON.parse(stdout)
    expect(nodes.length).toBeGreaterThanOrEqual(1)
    for (const node of nodes) expect(node.revision).toBe(revision)
    expect(await mark(gateway.twin)).toBe('everywhere')
    over = true
    await traffic
  })

  it('is told which nodes are not there yet when the time is over', async () => {
    await gateway.until('reported', ({ nodes }) => (nodes?.[0]?.count ?? 0) >= 2)
    write('policy/headers.yaml', headers('idle'))
    // nobody asks the twin anything
    const { exitCode, stderr } = await postern('apply', '-f', 'policy', '--wait', '--timeout', '2')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/is written and runs at .* of \d+ nodes run it; not yet: /)
    expect(stderr).toContain('[apply.timeout]')
    expect(await mark()).toBe('idle')
  })
})
