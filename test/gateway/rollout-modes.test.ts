/** A rollout that goes from shadow to enforce, over rings: two nodes with one store, each with its labels. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pluginVersion } from '../../src/config/plugin-version.ts'
import type { Move } from '../../src/rollout/state.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type KvFiles, kvFiles } from '../support/kv-files.ts'
import { headerProbe, upstreamAndRoute } from '../support/policy.ts'

/** The stores of ring 1 and of ring 2. */
let one: TestGateway
let two: TestGateway
let kv: KvFiles
beforeAll(async () => {
  const vars = { REFRESH_SECONDS: '0.2', REPORT_SECONDS: '0.2' }
  one = await startGateway({ vars: { ...vars, NODE_LABELS: 'ring=1' } })
  const kvFolder = one.kv
  two = await startGateway({ vars: { ...vars, NODE_LABELS: 'ring=2' }, kvFolder })
  kv = kvFiles(kvFolder)
  await one.policy(upstreamAndRoute(one.origin.url), marking('old'), rollout)
  await two.until('the revision', ({ revision }) => revision === 1)
})
afterAll(async () => {
  await one.stop()
  await two.stop()
})

const marking = (value: string): object =>
  headerProbe('mark', { response_headers: [{ call: 'set_header', name: 'x-mark', value }] })

const ring1 = { ring: '1' }
const rollout = {
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'PluginRollout',
  metadata: { name: 'next' },
  spec: {
    targetRef: { group: 'extensions.istio.io', kind: 'WasmPlugin', name: 'mark' },
    candidate: {
      pluginConfig: (marking('new') as { spec: { pluginConfig: object } }).spec.pluginConfig,
    },
    key: { type: 'header', name: 'x-user' },
    steps: [
      { weight: 100, pause: '1h', mode: 'shadow' },
      { weight: 100, pause: '1h', selector: { matchLabels: ring1 } },
      { weight: 25, pause: '1h' },
      { weight: 100, pause: '1h' },
    ],
  },
}

const moves: Move[] = []

/** Says what the rollout object would say: this move as well, from now on. */
async function move(next: Omit<Move, 'effectiveAt'>): Promise<void> {
  const { snapshot } = JSON.parse(kv.read('active')) as { snapshot: string }
  const { rollouts } = JSON.parse(kv.read(`snapshot.${snapshot}`)) as {
    rollouts: [{ candidate: { module: string; configuration: string } }]
  }
  moves.push({ effectiveAt: Date.now() - 1, ...next })
  const candidate = await pluginVersion(rollouts[0].candidate)
  const state = { run: 1, candidate, phase: 'running', reason: 'by hand', moves }
  const document = { version: moves.length, rollouts: { 'default.next': state }, kills: [] }
  kv.put('rollouts', JSON.stringify(document))
}

const USERS = Array.from({ length: 60 }, (_, index) => `user-${index}`)

/** Who gets the candidate at a store. */
async function taken(store: TestGateway): Promise<string[]> {
  const given: string[] = []
  for (const user of USERS) {
    const response = await store.fetch('/', { headers: { 'x-user': user } })
    await response.arrayBuffer()
    if (response.headers.get('x-mark') === 'new') given.push(user)
  }
  return given
}

/** A series' value at a store, by the labels that tell it apart. */
async function counted(store: TestGateway, name: string, ...labels: string[]): Promise<number> {
  const text = await (await store.admin('/-/metrics')).text()
  const line = text
    .split('\n')
    .find((one) => one.startsWith(name) && labels.every((label) => one.includes(label)))
  return line === undefined ? 0 : Number(line.split(' ').at(-1))
}

const pairs = (store: TestGateway): Promise<number> =>
  counted(store, 'postern_rollout_requests_total', 'mode="shadow"', 'side="candidate"')
const vms = (store: TestGateway): Promise<number> =>
  counted(store, 'envoy_wasm_envoy_wasm_runtime_v8_active')

const eventually = (ask: () => Promise<unknown>): ReturnType<typeof expect.poll> =>
  expect.poll(ask, { timeout: 15_000, interval: 200 })

describe('a rollout from shadow to enforce', () => {
  it('begins as a shadow everywhere: everybody keeps the stable version, and nothing else runs', async () => {
    await move({ weight: 100, mode: 'shadow' })
    for (const store of [one, two]) {
      await eventually(async () => (await taken(store), pairs(store))).toBeGreaterThan(0)
      expect(await taken(store)).toEqual([])
    }
    await eventually(() => vms(two)).toBe(2)
  })

  it('lets one ring have it while the rest goes on as shadow', async () => {
    await move({ weight: 100, selector: ring1 })
    await eventually(async () => (await taken(one)).length).toBe(USERS.length)
    const [before, runs] = [await pairs(one), await pairs(two)]
    await eventually(async () => (await taken(two), pairs(two))).toBeGreaterThan(runs)
    expect(await taken(two)).toEqual([])
    expect(await pairs(one)).toBe(before)
    // and the shadow's own vm is given back where it runs no more
    await eventually(async () => (await taken(one), vms(one))).toBe(2)
  })

  it('gives the rest a share, and the ring keeps all', async () => {
    await move({ weight: 25 })
    await eventually(async () => (await taken(two)).length).toBeGreaterThan(0)
    const some = await taken(two)
    expect(some.length).toBeLessThan(USERS.length / 2)
    expect(await taken(one)).toEqual(USERS)
    await move({ weight: 100 })
    await eventually(async () => (await taken(two)).length).toBe(USERS.length)
  })

  it('is over for all nodes and modes with a rollback', async () => {
    await move({ weight: 0 })
    await eventually(async () => [await taken(one), await taken(two)]).toEqual([[], []])
    await eventually(async () => (await taken(two), vms(two))).toBe(1)
    const runs = await pairs(two)
    await taken(two)
    expect(await pairs(two)).toBe(runs)
  })

  it('counts what requests got in every mode, so that the stores without it are compared with', async () => {
    const requests = (store: TestGateway, side: string): Promise<number> =>
      counted(store, 'postern_rollout_requests_total', 'mode="enforce"', `side="${side}"`)
    await eventually(() => requests(two, 'stable')).toBeGreaterThan(USERS.length * 2)
    expect(await requests(one, 'candidate')).toBeGreaterThan(0)
  })
})
