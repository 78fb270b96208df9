/**
 * A gateway without a Worker: the real admin API, policy writer and LiveConfig over a store in memory.
 * What is missing is what only a Worker has: vms. Plugins "start" unless a test says otherwise.
 */
import { adminApi } from '../../src/admin/api.ts'
import type { ActivationReport } from '../../src/config/activation.ts'
import { PolicyWriter } from '../../src/config/apply/policy-writer.ts'
import type { WriterState } from '../../src/config/apply/policy-writer.ts'
import { systemClock } from '../../src/config/clock.ts'
import { ERROR_CODES } from '../../src/config/error-codes.ts'
import type { ModuleCatalog } from '../../src/config/compile/module-catalog.ts'
import { LiveConfig } from '../../src/config/live-config.ts'
import type { PreflightResult } from '../../src/config/preflight.ts'
import type { Snapshot } from '../../src/config/snapshot.ts'
import { explain } from '../../src/gateway/explain/explain.ts'
import { PLAIN_NODE } from '../../src/gateway/node.ts'
import { inMemoryPorts, VmPool } from '../../src/proxy-wasm/index.ts'
import { type NodeView, refusedNow } from '../../src/observe/index.ts'

export const TOKEN = 'test-token'

export interface InProcessGateway {
  /** Stands in for the network: whatever the address, this gateway answers. */
  readonly fetch: typeof fetch
  /** The store. */
  readonly values: Map<string, string>
  /** `METHOD path`, in order. */
  readonly asked: string[]
  /** What preflight says from now on. */
  preflight: readonly PreflightResult[]
  /** What the reports of all nodes come to. */
  nodes: readonly NodeView[] | null
  /** Where those go, when that is another gateway. */
  hub: string | null
  /** Runs before every request is answered. */
  before: (() => Promise<void> | void) | undefined
  /** What the gateway runs. */
  running(): Snapshot | undefined
}

export function inProcessGateway(modules: ModuleCatalog): InProcessGateway {
  const values = new Map<string, string>()
  let state: WriterState | undefined
  let running: Snapshot | undefined
  const store = {
    get: (key: string) => Promise.resolve(values.get(key) ?? null),
    put: (key: string, text: string) => Promise.resolve(void values.set(key, text)),
    delete: (key: string) => Promise.resolve(void values.delete(key)),
  }
  const live = new LiveConfig<Snapshot>({
    source: store,
    clock: systemClock,
    activate: (snapshot): Promise<ActivationReport<Snapshot>> => {
      running = snapshot
      return Promise.resolve({ running: snapshot, plugins: [] })
    },
  })
  const writer = new PolicyWriter({
    store,
    state: {
      load: () => Promise.resolve(state),
      save: (next) => Promise.resolve(void (state = next)),
    },
    preflight: () => Promise.resolve(gateway.preflight),
    catalog: modules,
    services: ['SHOP'],
    clock: systemClock,
  })
  const app = adminApi({
    token: TOKEN,
    ports: {
      entryOf: (code) => Promise.resolve(ERROR_CODES[code]),
      async status(scope) {
        await live.current(scope)
        const plugins = Object.values(running?.plugins ?? {}).map(
          ({ id, module, moduleName, moduleVersion }) => ({
            id,
            module,
            moduleName,
            moduleVersion,
            vm: 'idle',
            lastError: null,
          }),
        )
        const status = live.status()
        const refused = refusedNow({ ...status, node: '', plugins: [] })
        return { ...status, refused, nodes: gateway.nodes, hub: gateway.hub, modules, plugins }
      },
      refresh: (scope) => live.refresh(scope),
      // without vms there is only what the store says of a revision
      explain: (request, scope) => {
        const { revision, snapshot } = live.status()
        const at = request.at ?? (revision || undefined)
        const nothing = { fetch: () => Promise.reject(new Error('nothing is reached here')) }
        const around = {
          source: store,
          modules: { modules: [], load: () => undefined },
          reachable: { network: nothing, service: () => nothing },
          node: PLAIN_NODE,
          nodeInfo: undefined,
          pool: new VmPool(inMemoryPorts()),
        }
        const runs = { running: undefined, revision, snapshot, refusals: [] }
        return explain({ ...request, at }, { ...around, ...runs }, scope)
      },
      metrics: () => Promise.resolve('\n'),
      apply: (request) => writer.apply(request),
      rollback: (request) => writer.rollback(request),
      promote: () => {
        const message = 'nothing takes rollouts forward here'
        return Promise.resolve({ result: 'failed', code: 'rollout.off', message })
      },
      history: () => writer.history(),
    },
  })
  const gateway: InProcessGateway = {
    values,
    asked: [],
    preflight: [],
    nodes: null,
    hub: null,
    before: undefined,
    running: () => running,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      gateway.asked.push(`${request.method} ${new URL(request.url).pathname}`)
      await gateway.before?.()
      return app.fetch(request)
    },
  }
  return gateway
}
