/** What nodes run and refuse, by the reports of their isolates: the acknowledgement of each change. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLine } from '../support/command-line.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type KvFiles, kvFiles } from '../support/kv-files.ts'
import { headerProbe, upstreamAndRoute } from '../support/policy.ts'
import { ADMIN_TOKEN } from '../support/workerd.ts'

let gateway: TestGateway
let kv: KvFiles
beforeAll(async () => {
  gateway = await startGateway({
    vars: {
      NODE_NAME: 'store-042',
      NODE_LABELS: 'region=eu',
      REPORT_SECONDS: '0.1',
      // isolates look when they hear of something, not by themselves
      REFRESH_SECONDS: '300',
    },
  })
  kv = kvFiles(gateway.kv)
})
afterAll(() => gateway.stop())

const mark = (value: string, more: object = {}): object[] => [
  ...upstreamAndRoute(gateway.origin.url),
  headerProbe('mark', {
    response_headers: [{ call: 'set_header', name: 'x-mark', value }],
    ...more,
  }),
]

/** Lets both isolates serve and report, and waits until the node is shown so. */
async function untilNode(expected: object): Promise<void> {
  await expect
    .poll(
      async () => {
        await (await fetch(gateway.url)).arrayBuffer()
        await (await fetch(gateway.twin)).arrayBuffer()
        const { nodes } = await gateway.status()
        return nodes?.[0]
      },
      { timeout: 10_000, interval: 50 },
    )
    .toMatchObject(expected)
}

async function status(...options: string[]) {
  const { postern } = await commandLine({}, { fetch })
  return postern('status', '--gateway', gateway.url, '--token', ADMIN_TOKEN, ...options)
}

describe('a node', () => {
  it('says who it is and that it runs what is active', async () => {
    const revision = await gateway.policy(mark('one'))
    await untilNode({
      node: 'store-042',
      labels: { region: 'eu' },
      state: 'current',
      revision,
      behind: null,
      count: 2,
      refused: [],
      plugins: [],
    })
    const { active } = await gateway.status()
    expect(active).toMatchObject({ revision, issuedAt: expect.stringMatching(/^\d{4}-/) as string })
    const { exitCode, stdout } = await status()
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^store-042 +current +\d+ +- +2 .*region=eu/m)
  })

  it('is behind while one of its isolates cannot have the revision, and no longer', async () => {
    const before = (await gateway.status()).revision
    const revision = await gateway.policy(mark('two'))
    const { snapshot } = await gateway.status()
    const text = kv.read(`snapshot.${snapshot}`)
    kv.remove(`snapshot.${snapshot}`)
    await untilNode({ state: 'behind', revision: before, behind: { revisions: 1 }, count: 2 })
    expect((await status('--grace', '0')).exitCode).toBe(3)
    expect((await status('--grace', '9999')).exitCode).toBe(0)
    expect((await status('--grace', '0')).stdout).toMatch(/behind +\d+ +1 revision, \d+ s/)
    kv.put(`snapshot.${snapshot}`, text)
    await untilNode({ state: 'current', revision, behind: null })
  })

  it('that refuses a plugin says why, since when, and what runs in its place', async () => {
    const running = await gateway.status()
    const previous = JSON.parse(kv.read(`snapshot.${running.snapshot}`)) as Parameters<
      KvFiles['compile']
    >[1]
    // what preflight would have stopped, moved into the store by hand
    const named = await kv.compile(
      mark('three', { configure: [{ call: 'return_false' }] }),
      previous,
    )
    kv.putSnapshot(named)
    kv.point(running.revision + 1, named.hash)
    await gateway.admin('/-/refresh', { method: 'POST' })
    await untilNode({
      state: 'refused',
      refused: [{ plugin: 'default.mark', revision: running.revision + 1 }],
      plugins: [{ plugin: 'default.mark', state: 'last-good' }],
    })
    expect((await gateway.fetch('/')).headers.get('x-mark')).toBe('two')
    const { exitCode, stdout } = await status()
    expect(exitCode).toBe(3)
    expect(stdout).toMatch(/^REFUSED AT +NODE +REVISION +CODE +WHY$/m)
    expect(stdout).toMatch(/^default\.mark +store-042 \(\d\) +the version before +\S/m)
  })

  it('that refuses nothing any more does not look as if it did', async () => {
    const base = (await gateway.status()).revision
    const { result } = await gateway.apply({ resources: mark('four'), base, prune: true })
    expect(result.result).toBe('applied')
    await gateway.admin('/-/refresh', { method: 'POST' })
    await untilNode({ state: 'current', refused: [], plugins: [] })
    const { exitCode, stdout } = await status()
    expect([exitCode, stdout.includes('REFUSED AT'), stdout.includes('EARLIER')]).toEqual([
      0,
      false,
      true,
    ])
  })
})
