/** A rollout that nobody takes part in costs little: its gateway says what it has counted of each side. */
import type { BenchRollout } from './policy.ts'

/** Opens the metrics of gateways that are measured. */
export const BENCH_TOKEN = 'bench'

/** 256 sessions do not come out at exactly the weight. */
const TOLERANCE = 12

/** @throws when the candidate did not get about the share of requests that its weight says */
export async function assertTakesPart(
  port: number,
  { mode, weight }: BenchRollout,
  requests: number,
): Promise<void> {
  const headers = { authorization: `Bearer ${BENCH_TOKEN}` }
  const text = await (await fetch(`http://127.0.0.1:${port}/-/metrics`, { headers })).text()
  const sides = text
    .split('\n')
    .filter((line) => line.startsWith('postern_rollout_requests_total{'))
    .map((line) => [line.includes('side="candidate"'), Number(line.split(' ').at(-1))] as const)
  const of = (candidate: boolean): number =>
    sides.reduce((sum, [isCandidate, count]) => sum + (isCandidate === candidate ? count : 0), 0)
  // pairs are counted of a shadow, and only where there was room for one
  const all = mode === 'shadow' ? requests : of(true) + of(false)
  const share = (of(true) / all) * 100
  if (!(Math.abs(share - weight) <= TOLERANCE && share > 0)) {
    throw new Error(
      `the candidate got ${of(true)} of ${all} requests at ${weight} per cent:\n${text}`,
    )
  }
}
