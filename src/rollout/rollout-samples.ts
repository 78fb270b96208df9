/** What nodes count of rollouts goes home with their metrics; here it is found among those of all nodes. */
import type { Sample } from '../observe/metric.ts'
import { FAMILIES } from '../observe/families.ts'
import {
  addCounts,
  NO_COUNTS,
  NO_ROLLOUT_COUNTS,
  type RolloutCounts,
  type SideCounts,
} from './counts.ts'
import type { Side } from './pick.ts'

/** By name: what of the counts a series is. */
const PARTS: Readonly<Record<string, (value: number) => Partial<SideCounts>>> = {
  [FAMILIES.rolloutRequests.name]: (requests) => ({ requests }),
  [FAMILIES.rolloutServerErrors.name]: (serverErrors) => ({ serverErrors }),
  [FAMILIES.rolloutDenials.name]: (denials) => ({ denials }),
  [FAMILIES.rolloutWall.name]: (sum) => ({ wallMs: { sum, squares: 0 } }),
  [FAMILIES.rolloutWallSquares.name]: (squares) => ({ wallMs: { sum: 0, squares } }),
}

const LABELS =
  /^mode="(shadow|log-only|enforce)",rollout="([^"]+)",run="(\d+)",side="(stable|candidate)"$/

/** @returns by `<rollout>/<run>/<mode>`: what steps of one mode are compared by says nothing of another */
export function countsOf(samples: readonly Sample[]): ReadonlyMap<string, RolloutCounts> {
  const counts = new Map<string, RolloutCounts>()
  for (const sample of samples) {
    const part = Object.hasOwn(PARTS, sample.name) ? PARTS[sample.name] : undefined
    const [, mode, rollout, run, side] = LABELS.exec(sample.labels) ?? []
    if (part === undefined || side === undefined || sample.kind === 'histogram') continue
    const key = `${rollout}/${run}/${mode}`
    const before = counts.get(key) ?? NO_ROLLOUT_COUNTS
    const own = side as Side
    const added = addCounts(before[own], { ...NO_COUNTS, ...part(sample.value) })
    counts.set(key, { ...before, [own]: added })
  }
  return counts
}
