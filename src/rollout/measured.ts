/** What of the counts of both sides a metric of the analysis is. */
import type { SnapshotAnalysisMetric } from '../config/snapshot-rollout.ts'
import type { RolloutCounts, SideCounts, Spread } from './counts.ts'

/** How often something happened, or how much of something there was. */
export type Measured =
  | { readonly kind: 'share'; readonly samples: number; readonly events: number }
  | ({ readonly kind: 'mean'; readonly samples: number; readonly counts?: boolean } & Spread)

export interface MeasuredSides {
  readonly stable: Measured
  readonly candidate: Measured
}

/** @returns both sides, or why there is nothing to compare */
export function measured(
  metric: SnapshotAnalysisMetric,
  { stable, candidate }: RolloutCounts,
): MeasuredSides | string {
  const { name, metric: own = '' } = metric
  if (name !== 'plugin-metric') {
    return { stable: sideOf(name, stable), candidate: sideOf(name, candidate) }
  }
  const types = (['counter', 'gauge', 'histogram'] as const).filter((type) =>
    [stable, candidate].some(({ metrics }) => (metrics[`${type} ${own}`]?.defined ?? 0) > 0),
  )
  const [type] = types
  if (type === undefined) return `no version of the plugin has defined a metric ${own} so far`
  if (types.length > 1) return `${own} is not of one type: ${types.join(', ')}`
  if (type === 'gauge') return `${own} is a gauge: where it stands is no request's doing`
  return { stable: metricOf(type, own, stable), candidate: metricOf(type, own, candidate) }
}

function sideOf(
  name: Exclude<SnapshotAnalysisMetric['name'], 'plugin-metric'>,
  side: SideCounts,
): Measured {
  const { requests, streams } = side
  switch (name) {
    case 'server-errors':
      return { kind: 'share', samples: requests, events: side.serverErrors }
    case 'denials':
      return { kind: 'share', samples: requests, events: side.denials }
    case 'traps':
      return { kind: 'share', samples: streams, events: side.traps }
    case 'wall-time':
      return { kind: 'mean', samples: requests, ...side.wallMs }
    case 'host-calls':
      return { kind: 'mean', samples: streams, counts: true, ...side.hostCalls }
  }
}

/** A version that has not defined a counter has counted nothing. */
function metricOf(type: 'counter' | 'histogram', name: string, side: SideCounts): Measured {
  const { sum = 0, squares = 0, values = 0 } = side.metrics[`${type} ${name}`] ?? {}
  const samples = type === 'counter' ? side.streams : values
  return { kind: 'mean', samples, counts: true, sum, squares }
}
