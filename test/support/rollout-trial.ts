/**
 * A candidate on trial: a rollout by the real controller over a gateway whose time is moved, with traffic
 * until the controller has come to something.
 */
import type { RolloutState } from '../../src/rollout/state.ts'
import { boundOf, saltOf, sideOf } from '../../src/rollout/pick.ts'
import { ClockedGateway } from './clocked-gateway.ts'
import { upstreamAndRoute } from './policy.ts'
import { askMany, type Told } from './rollout-load.ts'
import { ASKED, marking, pluginRollout, SEEN } from './rollout-policy.ts'
import type { WorkerdOptions } from './workerd.ts'

export const ROLLOUT = 'default.next'
/** The lead of a rise, and what the test itself takes. */
export const LEAD_MS = 101_000
/** Per cent of the first step. */
const WEIGHT = 10
const MOST_REQUESTS = 12_000
const PORTION = 120

/** A gateway for trials, whose origin answers with the mark that a request came with. */
export function startTrials(options: WorkerdOptions = {}): Promise<ClockedGateway> {
  return ClockedGateway.start({
    ...options,
    vars: {
      REPORT_SECONDS: '0.2',
      RISE_LEAD_SECONDS: '100',
      REFRESH_SECONDS: '0.2',
      ...options.vars,
    },
    handler: (exchange) => exchange.reply(200, [[SEEN, exchange.header(ASKED) ?? 'none']], 'ok'),
  })
}

/** One step at 10 per cent, and one at 100, each until the analysis passes. */
export const TRIAL_STEPS: readonly object[] = [
  { weight: WEIGHT, pause: '1m', until: 'passes', timeout: '4h' },
  { weight: 100, pause: '1m', until: 'passes', timeout: '4h' },
]

/** Starts a rollout of `mark`, and waits until its first weight counts. @param more - resources */
export async function startTrial(
  clocked: ClockedGateway,
  candidate: Record<string, object[]>,
  metrics: readonly object[],
  more: readonly object[] = [],
): Promise<void> {
  await clocked.act(ROLLOUT, 'abort')
  const rollout = pluginRollout(
    { steps: TRIAL_STEPS, analysis: { metrics, minSamples: 50, confidence: 95 } },
    candidate,
  )
  const origin = upstreamAndRoute(clocked.origin.url)
  await clocked.gateway.policy(origin, marking(), rollout, more)
  await clocked.act(ROLLOUT, 'start')
  await clocked.until(ROLLOUT, 'step 0', ({ step }) => step === 0)
  await untilCounting(clocked)
}

/** Lets the lead of a rise pass: from then on its weight counts, and so does what is counted. */
export async function untilCounting(clocked: ClockedGateway): Promise<void> {
  await clocked.advance(LEAD_MS)
  await clocked.until(ROLLOUT, 'counting', ({ marks }) => marks !== undefined)
}

/** Users of whom half are in at 10 per cent: the sooner it is told. */
export function halfInside(run: number): readonly string[] {
  const salt = saltOf(`${ROLLOUT}/${run}`)
  const all = Array.from({ length: 2_000 }, (_, user) => `user-${user}`)
  const of = (side: string): string[] =>
    all.filter((user) => sideOf(salt, user, boundOf(WEIGHT)) === side)
  const inside = of('candidate')
  const outside = of('stable')
  return inside.flatMap((user, index) => [user, outside[index] ?? user])
}

/** So many requests to both isolates. @param headers - of each besides */
export async function traffic(
  clocked: ClockedGateway,
  count: number,
  headers: () => Readonly<Record<string, string>> = () => ({}),
): Promise<readonly Told[]> {
  const { rollouts } = await clocked.record()
  const users = halfInside(rollouts[ROLLOUT]?.run ?? 0)
  const { url, twin } = clocked.gateway
  return askMany(count, (n) => [
    (n >> 1) % 2 === 0 ? url : twin,
    users[n % users.length] ?? '',
    headers(),
  ])
}

/**
 * Traffic, in portions, until the controller has come to that.
 * @throws with its record when it has not after 12,000 requests
 */
export async function trafficUntil(
  clocked: ClockedGateway,
  isOver: (state: RolloutState) => boolean,
  headers?: () => Readonly<Record<string, string>>,
): Promise<RolloutState> {
  for (let sent = 0; sent < MOST_REQUESTS; sent += PORTION) {
    const state = (await clocked.record()).rollouts[ROLLOUT]
    if (state !== undefined && isOver(state)) return state
    await traffic(clocked, PORTION, headers)
  }
  const record = JSON.stringify(await clocked.record(), null, 2)
  throw new Error(`not after ${MOST_REQUESTS} requests: ${record}`)
}
