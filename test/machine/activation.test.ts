/** Bringing snapshots up beside each other, also when two of them cross: what is left, and what is not. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { PluginActivation } from '../../src/config/activation.ts'
import type { Snapshot, SnapshotPlugin } from '../../src/config/snapshot.ts'
import { Activator, type ActivatorOptions } from '../../src/gateway/activate.ts'
import { Meters } from '../../src/gateway/meters.ts'
import type { ModuleSource } from '../../src/gateway/modules.ts'
import { PLAIN_NODE } from '../../src/gateway/node.ts'
import type { RolloutWeights } from '../../src/gateway/rollout-weights.ts'
import { type Plugin, runIn, standaloneIo } from '../../src/proxy-wasm/index.ts'
import { type Machine, machine, probe, script } from '../support/machine.ts'

const MODULE = probe('headers-only')
const modules: ModuleSource = {
  modules: [],
  load: (sha256) => (sha256 === MODULE.sha256 && !missing ? MODULE : undefined),
}
/** Whether a deploy has lost the module. */
let missing = false
const scope = { waitUntil: () => undefined }

let host: Machine
let activator: Activator
let late: PluginActivation[]
beforeEach(() => {
  host = machine()
  late = []
  missing = false
  activator = new Activator(options())
})

function options(): ActivatorOptions {
  return {
    modules,
    pool: host.pool,
    reachable: {
      network: { fetch: () => Promise.reject(new Error('none')) },
      service: () => undefined,
    },
    meters: new Meters(),
    node: PLAIN_NODE,
    runs: () => true,
  }
}

function plugin(name: string, mark: string, steps: object = {}): SnapshotPlugin {
  return {
    id: `default.${name}`,
    name,
    namespace: 'default',
    module: MODULE.sha256,
    rootId: '',
    phase: 'UNSPECIFIED_PHASE',
    priority: 0,
    configuration: script({ log: [{ call: 'log', message: mark }], ...steps }),
    failStrategy: 'FAIL_CLOSE',
    env: [],
    vmId: '',
    shareVm: false,
    vmConfiguration: '',
    limits: {},
    allowOnHeadersStopIteration: false,
  }
}
const REFUSES = { configure: [{ call: 'return_false' }] }

function snapshotOf(...plugins: readonly SnapshotPlugin[]): Snapshot {
  const entries = plugins.map((one) => [one.id, one] as const)
  return {
    schema: 2,
    gateways: [],
    routes: [],
    gatewayPlugins: plugins.map(({ id }) => id),
    plugins: Object.fromEntries(entries),
    upstreams: {},
  }
}

const activate = async (...plugins: readonly SnapshotPlugin[]): Promise<string[]> => {
  const report = await activator.activate(snapshotOf(...plugins), scope, (one) => late.push(one))
  return report.plugins.map(({ outcome }) => outcome)
}

/** What one request would start. */
function use(id = 'default.a'): boolean {
  return runIn(standaloneIo(), () => activator.running?.plugins.get(id)?.acquire()) !== undefined
}

describe('a snapshot', () => {
  it('starts nothing that is not used, and what is used beside what runs', async () => {
    expect(await activate(plugin('a', '1'), plugin('b', '1'))).toEqual(['deferred', 'deferred'])
    expect(host.pool.size).toBe(0)
    use()
    expect(await activate(plugin('a', '2'), plugin('b', '2'))).toEqual(['swapped', 'deferred'])
    expect([host.pool.size, host.pool.created]).toEqual([1, 2])
  })

  it('leaves what does not change as it is, whatever else does', async () => {
    await activate(plugin('a', '1'), plugin('b', '1'))
    use()
    const before = activator.running?.plugins.get('default.a')
    expect(await activate(plugin('a', '1'), plugin('b', '2'))).toEqual(['unchanged', 'deferred'])
    expect(activator.running?.plugins.get('default.a')).toBe(before)
  })

  it('gives no vm to what is refused', async () => {
    await activate(plugin('a', '1'))
    use()
    for (let i = 0; i < 20; i++) {
      expect(await activate(plugin('a', `${i}`, REFUSES))).toEqual(['last-good'])
    }
    expect([host.pool.size, host.pool.contexts]).toEqual([1, 1])
    expect(use()).toBe(true)
  })

  it('of which nothing can be made leaves what runs, and nothing of itself', async () => {
    await activate(plugin('a', '1'))
    use()
    const { running } = activator
    const broken = { ...snapshotOf(plugin('a', '2')), upstreams: null } as unknown as Snapshot
    await expect(activator.activate(broken, scope, () => undefined)).rejects.toThrow()
    expect(activator.running).toBe(running)
    expect(use()).toBe(true)
    expect([host.pool.size, host.pool.contexts]).toEqual([1, 1])
  })
})

describe('a candidate that has become its plugin', () => {
  /** The plugin with another version of it, which a rollout gives to requests. */
  const withCandidate = (candidate: SnapshotPlugin): Snapshot => ({
    ...snapshotOf(plugin('a', '1')),
    rollouts: [
      {
        id: 'default.next',
        plugin: 'default.a',
        candidate: { module: candidate.module, configuration: candidate.configuration },
        mode: 'enforce',
        key: { type: 'clientIp' },
        steps: [{ weight: 100, pauseMs: 0 }],
        onFailure: 'rollback',
      },
    ],
  })
  const CANDIDATE = 'default.a (candidate)'

  async function rolledOut(candidate: SnapshotPlugin): Promise<Plugin | undefined> {
    activator = new Activator({
      ...options(),
      // asked by requests alone, of which there are none
      weights: {} as RolloutWeights,
    })
    await activator.activate(withCandidate(candidate), scope, (one) => late.push(one))
    // nobody had the version of before here
    const running = activator.running?.plugins.get(CANDIDATE)
    runIn(standaloneIo(), () => running?.acquire())
    return running
  }

  it('is started before it takes over where the candidate ran, and the candidate goes', async () => {
    const candidate = await rolledOut(plugin('a', '2'))
    expect(candidate?.state).toBe('running')
    expect(await activate(plugin('a', '2'))).toEqual(['swapped'])
    expect(activator.running?.plugins.get('default.a')?.state).toBe('running')
    expect(candidate?.state).toBe('retired')
    expect(host.pool.size).toBe(1)
  })

  it('goes on in its place where the plugin does not start, and not the version of before', async () => {
    use()
    const candidate = await rolledOut(plugin('a', '2'))
    missing = true
    expect(await activate(plugin('a', '2'))).toEqual(['last-good'])
    expect(activator.running?.plugins.get('default.a')).toBe(candidate)
    expect(candidate?.state).toBe('running')
    expect(use()).toBe(true)
  })
})

describe('two snapshots at once', () => {
  it('leave the one that began last, and one vm for each plugin', async () => {
    await activate(plugin('a', '1'), plugin('b', '1'))
    use('default.a')
    use('default.b')
    const first = activate(plugin('a', '2'), plugin('b', '1'))
    const second = activate(plugin('a', '1'), plugin('b', '3'))
    await Promise.all([first, second])
    const config = (id: string): unknown => activator.running?.snapshot.plugins[id]
    expect(config('default.a')).toEqual(plugin('a', '1'))
    expect(config('default.b')).toEqual(plugin('b', '3'))
    for (const id of ['default.a', 'default.b']) {
      expect(activator.running?.plugins.get(id)?.state).toBe('running')
    }
    expect([host.pool.size, host.pool.contexts]).toEqual([2, 2])
  })

  it('do so however they cross', async () => {
    for (let round = 0; round < 10; round++) {
      const begun = [0, 1, 2, 3].map(async (i) => {
        for (let wait = 0; wait < (i * 7 + round) % 5; wait++)
          await crypto.subtle.digest('SHA-1', new Uint8Array(1))
        return activate(plugin('a', `${round}-${i}`))
      })
      await Promise.all(begun)
      expect(use()).toBe(true)
      expect([host.pool.size, host.pool.contexts]).toEqual([1, 1])
    }
  })
})

describe('a plugin that was deferred', () => {
  it('is told of when it does not start, and its last good version serves', async () => {
    const good = plugin('a', '1')
    const { module, configuration } = good
    const bad = { ...plugin('a', '2', REFUSES), lastGood: [{ module, configuration }] }
    expect(await activate(bad)).toEqual(['deferred'])
    expect(late).toEqual([])
    expect(use()).toBe(true)
    expect(late).toMatchObject([
      { plugin: 'default.a', outcome: 'last-good', code: 'plugin.configure_refused' },
    ])
    expect(activator.running?.plugins.get('default.a')?.state).toBe('last-good')
    expect(await activate(bad, plugin('b', '1'))).toEqual(['last-good', 'deferred'])
  })

  it('runs the first of several that starts', async () => {
    const versions = [plugin('a', '3', REFUSES), plugin('a', '2', REFUSES), plugin('a', '1')]
    const lastGood = versions.map(({ module, configuration }) => ({ module, configuration }))
    await activate({ ...plugin('a', '4', REFUSES), lastGood })
    expect(use()).toBe(true)
    expect([host.pool.size, host.pool.contexts]).toEqual([1, 1])
  })

  it('keeps its place when none of them does', async () => {
    const lastGood = [{ module: 'f'.repeat(64), configuration: '' }]
    const missing = { ...plugin('a', '1'), module: 'e'.repeat(64), lastGood }
    expect(await activate(missing)).toEqual(['failed'])
    expect(activator.running?.gatewayChain).toHaveLength(1)
    expect(use()).toBe(false)
  })
})
