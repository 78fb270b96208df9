/**
 * A hub and a store as two workerd processes, two isolates each, with rollouts that can be made worse, and
 * requests on all of them that show who still serves a candidate.
 */
import { gatewayOf, type TestGateway } from '../test/support/gateway.ts'
import { type Origin, startOrigin } from '../test/support/origin.ts'
import { probe, route, upstream } from '../test/support/policy.ts'
import { startWorkerd } from '../test/support/workerd.ts'
import { lateKv } from './late-kv.ts'

/** Milliseconds between two requests to one isolate for one rollout: how exact the figures are. */
const EVERY_MS = 100
const TOKEN = 'a-token-for-a-measurement'

export interface Stage {
  /** Names of rollouts; each has a plugin and a route of its own. */
  readonly rollouts: readonly string[]
  /** Has what requests of a rollout's candidate get be a 500, or no longer. */
  worsen(rollout: string, worse: boolean): void
  act(rollout: string, action: 'start' | 'abort'): Promise<void>
  /** When the run under way was rolled back, in milliseconds since the Unix epoch; undefined when it was not. */
  rolledBackAt(rollout: string): Promise<number | undefined>
  /** For each isolate: when it last served the candidate, and whether it did with its last answer. */
  seen(rollout: string): readonly { readonly lastAt: number; readonly now: boolean }[]
  stop(): Promise<void>
}

/**
 * Sets the stage.
 * @param reportSeconds - how often isolates report
 * @param lateMs - how late KV shows what becomes of rollouts; Infinity: never
 */
export async function rollbackStage(
  rollouts: readonly string[],
  reportSeconds: number,
  lateMs: number,
): Promise<Stage> {
  const worse = new Set<string>()
  const origin = await startOrigin((exchange) => {
    const mark = exchange.header('x-mark') ?? 'none'
    const [name = '', side] = mark.split(' ')
    const status = side === 'new' && worse.has(name) ? 500 : 200
    exchange.reply(status, [['x-mark', mark]], '')
  })
  const kv = await lateKv(lateMs)
  const vars = { REPORT_SECONDS: `${reportSeconds}`, REFRESH_SECONDS: '5', MAX_STALE_SECONDS: '10' }
  const hub = gatewayOf(
    await startWorkerd({
      kvAt: kv.address,
      vars: { ...vars, NODE_NAME: 'hub', REPORT_TOKENS: TOKEN, RISE_LEAD_SECONDS: '0' },
    }),
    origin,
  )
  const store = await startWorkerd({
    kvAt: kv.address,
    vars: { ...vars, NODE_NAME: 'store', HUB_URL: hub.url, HUB_TOKEN: TOKEN },
  })
  await hub.policy(policy(origin, rollouts))
  const urls = [hub.url, hub.twin, store.url, store.twin]
  const traffic = new Map(rollouts.map((name) => [name, urls.map((url) => isolate(url, name))]))
  return {
    rollouts,
    worsen: (name, yes) => void (yes ? worse.add(name) : worse.delete(name)),
    act: (name, action) => act(hub, name, action),
    rolledBackAt: (name) => rolledBackAt(hub, name),
    seen: (name) => traffic.get(name)?.map(({ seen }) => seen()) ?? [],
    async stop() {
      for (const one of [...traffic.values()].flat()) one.stop()
      await store.stop()
      await hub.stop()
      await kv.stop()
    },
  }
}

function policy(origin: Origin, rollouts: readonly string[]): object[] {
  const steps = (name: string, side: string): object => ({
    request_headers: [{ call: 'set_header', name: 'x-mark', value: `${name} ${side}` }],
  })
  return [
    upstream('origin', { url: origin.url }),
    ...rollouts.flatMap((name) => [
      route(name, `/${name}`, 'origin'),
      probe(name, steps(name, 'old') as never, {}, [name], '0.2.1-headers-only'),
      {
        apiVersion: 'postern.dev/v1alpha1',
        kind: 'PluginRollout',
        metadata: { name },
        spec: {
          targetRef: { group: 'extensions.istio.io', kind: 'WasmPlugin', name },
          candidate: {
            pluginConfig: { steps: steps(name, 'new'), quiet: true, quiet_calls: true },
          },
          key: { type: 'header', name: 'x-user' },
          audience: { always: ['first'], never: ['last'] },
          steps: [{ weight: 50, pause: '1h' }],
          analysis: { metrics: [{ name: 'server-errors', maxIncrease: 1 }], minSamples: 20 },
        },
      },
    ]),
  ]
}

async function act(hub: TestGateway, name: string, action: string): Promise<void> {
  const body = JSON.stringify({ rollout: `default.${name}`, action, by: 'the measurement' })
  const response = await hub.admin('/-/rollouts', { method: 'POST', body })
  if (!response.ok) throw new Error(`${action} ${name}: ${await response.text()}`)
}

async function rolledBackAt(hub: TestGateway, name: string): Promise<number | undefined> {
  const { history } = (await (await hub.admin('/-/rollouts')).json()) as {
    history: readonly { readonly at: number; readonly rollout: string; readonly phase: string }[]
  }
  const last = history.findLast(({ rollout }) => rollout === `default.${name}`)
  return last?.phase === 'rolled-back' ? last.at : undefined
}

/** Requests of one rollout to one isolate, one after another: for the candidate, then for the stable version. */
function isolate(url: string, name: string) {
  let stopped = false
  let lastAt = 0
  let now = false
  const ask = async (user: string): Promise<boolean> => {
    const response = await fetch(`${url}/${name}`, { headers: { 'x-user': user } })
    await response.arrayBuffer()
    return response.headers.get('x-mark')?.endsWith('new') ?? false
  }
  void (async () => {
    while (!stopped) {
      const began = performance.now()
      try {
        now = await ask('first')
        if (now) lastAt = Date.now()
        await ask('last')
      } catch (error) {
        if (!stopped) console.error(`${url}: ${String(error)}`)
      }
      const rest = EVERY_MS - (performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)))
    }
  })()
  return { seen: () => ({ lastAt, now }), stop: () => void (stopped = true) }
}
