/**
 * `npm run soak`: a thousand swaps under load in real workerd, and what is left of them afterwards; then two
 * hundred moves of a rollout's weights. Fails when a request failed, was served by two versions, or when vms
 * or contexts are left behind.
 */
import type { GatewayStatus } from '../../src/gateway/index.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { ECHO_VERSION, marked, swapUnderLoad } from '../support/swaps.ts'
import { soakWeights } from './soak-weights.ts'

const SWAPS = Number(process.env['SWAPS'] ?? '1000')
const MOVES = Number(process.env['MOVES'] ?? '200')
const MB = 1024 * 1024

const gateway = await startGateway({
  // a thousand lines of what plugins say when they start are nobody's matter
  vars: { LOG_LEVEL: 'critical' },
  handler: (exchange) =>
    exchange.reply(200, [[ECHO_VERSION, exchange.header('x-asked') ?? 'none']], 'ok'),
})
try {
  const base = await gateway.policy(marked(gateway.origin.url, '1.0.0', 'v0'))
  // the first swaps bring in what is there for good: both modules, the code that swaps
  await swapUnderLoad(gateway, base, 20)
  const before = await figures(gateway)
  const began = performance.now()
  const { requests, wrong, seen, refused } = await swapUnderLoad(
    gateway,
    base + 20,
    SWAPS,
    (done) => {
      if (done % 100 === 0)
        console.log(`${done} swaps, ${Math.round(gateway.rss() / MB)} MiB resident`)
    },
  )
  const seconds = (performance.now() - began) / 1000
  const { vms } = await gateway.until('one vm left', (one) => one.vms.count === 1)
  const after = await figures(gateway)
  console.log(
    `${SWAPS} swaps (${refused} with a plugin that does not start) in ${seconds.toFixed(1)} s`,
  )
  console.log(`${requests} requests, ${wrong.length} failed or served by two versions`)
  console.log(`versions seen: ${[...seen].sort().join(', ')}`)
  console.log(`before: ${before}`)
  console.log(`after:  ${after}`)
  for (const line of new Set(wrong)) console.error(line)
  if (wrong.length > 0 || vms.count !== 1 || vms.contexts !== 1) process.exitCode = 1
} finally {
  await gateway.stop()
}
if (!(await soakWeights(MOVES))) process.exitCode = 1

async function figures(one: TestGateway): Promise<string> {
  const { vms }: GatewayStatus = await one.until('quiet', ({ vms: { contexts } }) => contexts === 1)
  const guest = (vms.memoryBytes / MB).toFixed(1)
  return `${vms.count} vm, ${vms.contexts} context, ${guest} MiB of guests, ${Math.round(one.rss() / MB)} MiB resident`
}
