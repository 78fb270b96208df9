/**
 * An outage that does not happen: a release makes the configuration of 43 plugins unreadable at once and
 * reaches every gateway. Real workerd, the Worker as it is deployed, KV on a folder.
 */
import type { ApplyResult } from '../../src/config/apply/apply-request.ts'
import type { Snapshot } from '../../src/config/snapshot.ts'
import { startGateway, type TestGateway } from '../../test/support/gateway.ts'
import { kvFiles } from '../../test/support/kv-files.ts'
import { generator1, generator2, policy } from './policy.ts'
import { type Answers, crowd, visitAll } from './traffic.ts'

export interface Replay {
  /** Why the release was refused where it should have come in: a line for each plugin. */
  readonly refusedByApply: readonly string[]
  /** What the operator sees when it has come in by another way: a line for each plugin. */
  readonly refusedByGateway: readonly string[]
  /** The revision that runs then, plugins aside. */
  readonly revision: number
  /** Plugins that run their last good version. */
  readonly lastGood: number
  /** Requests while all of this happened, and those that were answered otherwise than before. */
  readonly requests: number
  readonly different: readonly string[]
  /** Whether an isolate that started afterwards answers as before. */
  readonly coldIsSame: boolean
  /** Plugins that run what the snapshot says, once the release is put right. */
  readonly repaired: number
}

/** Requests of customers that each step waits for. */
const PHASE = 100

/** Plays it. @param say - hears what happens, a line at a time */
export async function replay(say: (line: string) => void): Promise<Replay> {
  const gateway = await startGateway({
    handler: (exchange) =>
      exchange.reply(200, [['content-type', 'text/plain']], 'card 4111 1111 1111 1111'),
  })
  try {
    return await play(gateway, say)
  } finally {
    await gateway.stop()
  }
}

async function play(gateway: TestGateway, say: (line: string) => void): Promise<Replay> {
  const { url: upstream } = gateway.origin
  const first = await gateway.policy(policy(upstream, generator1))
  const before = await visitAll(gateway.url)
  const { plugins } = await gateway.status()
  say(`Revision ${first} runs ${plugins.length} plugins. Customers come:`)
  for (const line of before) say(`  ${line.split('\n')[0]}`)
  const customers = crowd(gateway.url, before)
  await customers.more(PHASE)

  say(
    '\nA release changes how configurations are written. `postern apply` tries each plugin first:',
  )
  const { result } = await gateway.apply({
    resources: policy(upstream, generator2),
    base: first,
    prune: true,
  })
  const refusedByApply = preflightReasons(result)
  say(
    `  refused, nothing written, ${refusedByApply.length} reasons, such as:\n  ${refusedByApply[0]}`,
  )

  say('\nSomebody goes around it and writes the snapshot and the pointer into KV by hand:')
  await publishByHand(gateway, upstream, first)
  await gateway.admin('/-/refresh', { method: 'POST' })
  await customers.more(PHASE)
  const after = await gateway.status()
  const refusedByGateway = after.refusals
    .filter(({ revision, plugin }) => revision === after.revision && plugin !== undefined)
    .map(({ at, code, message }) => `${at} ${code} ${message.split('\n')[0]}`)
  const lastGood = after.plugins.filter(({ vm }) => vm === 'last-good').length
  say(`  revision ${after.revision} is live; the operator sees ${refusedByGateway.length} reasons:`)
  for (const line of refusedByGateway) say(`  ${line}`)

  say('\nAn isolate that starts now has never seen anything else:')
  const cold = await visitAll(gateway.twin)
  const coldIsSame = same(before, cold)
  say(`  it answers ${coldIsSame ? 'the same' : 'OTHERWISE'}`)

  say('\nThe release is put right:')
  const repairedRevision = await gateway.policy(policy(upstream, generator1))
  await customers.more(PHASE)
  const { plugins: now } = await gateway.status()
  const repaired = now.filter(({ vm }) => vm === 'running').length
  say(`  revision ${repairedRevision} runs, ${repaired} plugins run as it says`)

  await customers.leave()
  const { requests } = customers
  const different = [...customers.different]
  say(`\n${requests} requests meanwhile, ${different.length} answered otherwise than before.`)
  return {
    refusedByApply,
    refusedByGateway,
    revision: after.revision,
    lastGood,
    requests,
    different,
    coldIsSame,
    repaired,
  }
}

function preflightReasons(result: ApplyResult): string[] {
  if (result.result !== 'refused') throw new Error(`apply ended with ${result.result}`)
  return result.preflight.map(
    ({ plugin, reason, logs }) => `${plugin}: ${logs.at(-1) ?? reason ?? 'no reason given'}`,
  )
}

/** What a pipeline would do that knows KV and not `postern apply`. */
async function publishByHand(gateway: TestGateway, upstream: string, first: number): Promise<void> {
  const kv = kvFiles(gateway.kv)
  const { snapshot: previous } = JSON.parse(kv.read('active')) as { snapshot: string }
  const running = JSON.parse(kv.read(`snapshot.${previous}`)) as Snapshot
  const named = await kv.compile(policy(upstream, generator2), running)
  kv.putSnapshot(named)
  kv.point(first + 1, named.hash, { previous })
}

function same(one: Answers, other: Answers): boolean {
  return one.length === other.length && one.every((answer, index) => answer === other[index])
}
