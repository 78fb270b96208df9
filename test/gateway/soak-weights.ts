/** The second table of `npm run soak`: weights of a rollout that move up and back under load. */
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { upstreamAndRoute } from '../support/policy.ts'
import { askMany, RolloutLoad } from '../support/rollout-load.ts'
import { ASKED, marking, pluginRollout, SEEN } from '../support/rollout-policy.ts'
import { runRollout } from '../support/rollout-runs.ts'

const WEIGHTS = [1, 2, 5, 10, 25, 50, 75, 90, 100]
const USERS = Array.from({ length: 60 }, (_, user) => `user-${user}`)
const BACK_MS = 10_000
const MB = 1024 * 1024

/**
 * Moves weights with the real controller: runs of nine rises and a rollback each, while two isolates are
 * under the load of six clients.
 * @param moves - how many at least
 * @returns whether no request failed or was served by two versions, no key turned twice, and nothing is left
 */
export async function soakWeights(moves: number): Promise<boolean> {
  const gateway = await startGateway({
    inspected: true,
    vars: {
      LOG_LEVEL: 'critical',
      REFRESH_SECONDS: '0.1',
      REPORT_SECONDS: '0.1',
      RISE_LEAD_SECONDS: '0.3',
    },
    handler: (exchange) => exchange.reply(200, [[SEEN, exchange.header(ASKED) ?? 'none']], 'ok'),
  })
  try {
    const steps = WEIGHTS.map((weight) => ({ weight, pause: '10ms' }))
    await gateway.policy(upstreamAndRoute(gateway.origin.url), marking(), pluginRollout({ steps }))
    // the first run brings in what is there for good
    await upAndBack(gateway)
    const before = await figures(gateway)
    const began = performance.now()
    const runs = Math.ceil(moves / (WEIGHTS.length + 1))
    const load = new RolloutLoad([gateway.url, gateway.twin], USERS, 6)
    try {
      for (let run = 0; run < runs; run++) await upAndBack(gateway, load)
    } finally {
      await load.end()
    }
    const seconds = (performance.now() - began) / 1000
    const after = await figures(gateway)
    // what runs leave behind: all else of the memory is the load's, and given back
    const kept = Math.round((after.heap - before.heap) / runs / 1024)
    const count = runs * (WEIGHTS.length + 1)
    console.log(`${count} moves of weights in ${runs} runs of a rollout in ${seconds.toFixed(1)} s`)
    console.log(
      `${load.requests} requests, ${load.wrong.length} failed, of two versions or back and forth`,
    )
    console.log(`before: ${before.text}`)
    console.log(`after:  ${after.text}; ${kept} KiB more on the heaps for each run`)
    for (const line of new Set(load.wrong)) console.error(line)
    return load.wrong.length === 0 && after.vms === before.vms
  } finally {
    await gateway.stop()
  }
}

async function upAndBack(gateway: TestGateway, load?: RolloutLoad): Promise<void> {
  load?.rises()
  await runRollout(gateway, 'default.next', 'complete')
  load?.goesBack()
  await runRollout(gateway, 'default.next', 'rolled-back')
  const deadline = Date.now() + BACK_MS
  for (;;) {
    const told = await askMany(USERS.length * 2, (n) => [
      n % 2 ? gateway.twin : gateway.url,
      USERS[n >> 1] ?? '',
    ])
    if (told.every(({ answered }) => answered === 'old')) return
    if (Date.now() > deadline) throw new Error('somebody has the candidate still')
  }
}

async function figures(
  gateway: TestGateway,
): Promise<{ readonly vms: number; readonly heap: number; readonly text: string }> {
  // the candidate gives its vm back at a look that finds it out of use: once a second, by a request
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  await askMany(4, () => [gateway.url, 'user-0'])
  const { vms } = await gateway.until('quiet', (one) => one.vms.contexts === one.vms.count)
  const guests = (vms.memoryBytes / MB).toFixed(1)
  const heap = await gateway.heap()
  const heaps = `${(heap / MB).toFixed(1)} MiB on both heaps`
  const resident = Math.round(gateway.rss() / MB)
  return {
    vms: vms.count,
    heap,
    text: `${vms.count} vm, ${vms.contexts} context, ${guests} MiB of guests, ${heaps}, ${resident} MiB resident`,
  }
}
