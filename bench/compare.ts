/** Interleaved rounds of two sides. Only what is measured next to each other is compared. */
import type { Surroundings } from './children.ts'
import type { LoadResult } from './load.ts'
import { median } from './statistics.ts'
import { SMALL_PATH } from './traffic.ts'
import type { Side } from './workerd.ts'

export interface Figures {
  readonly requestsPerSecond: number
  readonly cpuMicros: number
  readonly p50Millis: number
  readonly p99Millis: number
}

export interface Comparison {
  readonly gateway: Figures
  readonly baseline: Figures
  /** Medians over rounds of gateway / baseline; of CPU, baseline / gateway: above 1 is better in both. */
  readonly ratio: number
  readonly cpuRatio: number
  readonly p99Ratio: number
  /** That the gateway has answered, warm-up included. */
  readonly requests: number
}

export interface Effort {
  readonly rounds: number
  readonly seconds: number
}

type Load = Pick<Parameters<Surroundings['load']>[0], 'path' | 'connections'> & {
  /**
   * Requests after which V8 has optimised what there is to optimise: a count, since it counts calls. Of
   * large answers there would be too few in any time: small ones go before them.
   */
  readonly warmUp: { readonly small: number; readonly own: number }
}

const NO_LIMIT = Number.MAX_SAFE_INTEGER
/** A bound for a machine so busy that the requests of a warm-up take for ever. */
const WARM_UP_SECONDS = 20

export async function compare(
  { load }: Surroundings,
  sides: { readonly gateway: Side; readonly baseline: Side },
  what: Load,
  { rounds, seconds }: Effort,
): Promise<Comparison> {
  const { connections, warmUp } = what
  let requests = 0
  const run = async (
    side: Side,
    seconds: number,
    atMost: number,
    path = what.path,
  ): Promise<Figures> => {
    const before = side.cpuSeconds()
    const result = await load({ path, connections, port: side.port, seconds, requests: atMost })
    check(result)
    if (side === sides.gateway) requests += result.requests
    return {
      requestsPerSecond: result.requests / result.seconds,
      cpuMicros: ((side.cpuSeconds() - before) / result.requests) * 1e6,
      p50Millis: result.p50Millis,
      p99Millis: result.p99Millis,
    }
  }
  for (const side of [sides.gateway, sides.baseline]) {
    await run(side, WARM_UP_SECONDS, warmUp.small, SMALL_PATH)
    if (warmUp.own > 0) await run(side, WARM_UP_SECONDS, warmUp.own)
  }
  const gateway: Figures[] = []
  const baseline: Figures[] = []
  for (let round = 0; round < rounds; round++) {
    // who goes first changes, so that neither always follows the other
    if (round % 2 === 0) {
      gateway.push(await run(sides.gateway, seconds, NO_LIMIT))
      baseline.push(await run(sides.baseline, seconds, NO_LIMIT))
    } else {
      baseline.push(await run(sides.baseline, seconds, NO_LIMIT))
      gateway.push(await run(sides.gateway, seconds, NO_LIMIT))
    }
  }
  const ratio = (of: (figures: Figures) => number): number =>
    median(gateway.map((figures, round) => of(figures) / of(baseline[round] ?? figures)))
  return {
    gateway: middle(gateway),
    baseline: middle(baseline),
    ratio: ratio((figures) => figures.requestsPerSecond),
    cpuRatio: 1 / ratio((figures) => figures.cpuMicros),
    p99Ratio: ratio((figures) => figures.p99Millis),
    requests,
  }
}

function middle(rounds: readonly Figures[]): Figures {
  const of = (value: (figures: Figures) => number): number => median(rounds.map(value))
  return {
    requestsPerSecond: of((figures) => figures.requestsPerSecond),
    cpuMicros: of((figures) => figures.cpuMicros),
    p50Millis: of((figures) => figures.p50Millis),
    p99Millis: of((figures) => figures.p99Millis),
  }
}

/** @throws when a request failed: a fast error is no result */
export function check({ failures, requests }: LoadResult): void {
  if (failures > 0 || requests === 0) {
    throw new Error(`${failures} of ${requests + failures} requests failed`)
  }
}
