/** Counts that tests make up. */
import { NO_COUNTS, type RolloutCounts, type SideCounts } from '../counts.ts'

export function side(requests: number, rest: Partial<SideCounts> = {}): SideCounts {
  return { ...NO_COUNTS, requests, streams: requests, ...rest }
}

/** Requests and server errors of both sides. */
export function errors(
  stable: readonly [requests: number, errors: number],
  candidate: readonly [requests: number, errors: number],
): RolloutCounts {
  return {
    stable: side(stable[0], { serverErrors: stable[1] }),
    candidate: side(candidate[0], { serverErrors: candidate[1] }),
  }
}
