/** What a run prints: a table for people, the same as JSON for programs. */
import type { Comparison } from './compare.ts'

export interface RowResult {
  readonly name: string
  /** null where there is nothing to compare with. */
  readonly ratio: number | null
  readonly target: number | null
  readonly holds: boolean
  readonly cpuMicrosPerRequest: Readonly<Record<string, number>>
  readonly details: Readonly<Record<string, number>>
  /** For the table: what the row says beside its ratio. */
  readonly note: string
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))

/** A comparison over HTTP as a row. @param residentMegabytes - of the gateway, where it was asked for */
export function httpResult(
  name: string,
  target: number,
  result: Comparison,
  residentMegabytes?: number,
): RowResult {
  const { gateway, baseline, ratio, cpuRatio, p99Ratio } = result
  const pair = (of: (figures: Comparison['gateway']) => number, digits: number): string =>
    `${of(gateway).toFixed(digits)} / ${of(baseline).toFixed(digits)}`
  const memory = residentMegabytes === undefined ? '' : `, RSS ${residentMegabytes.toFixed(0)} MB`
  return {
    name,
    ratio: round(ratio, 3),
    target,
    holds: ratio >= target,
    cpuMicrosPerRequest: {
      gateway: round(gateway.cpuMicros, 1),
      baseline: round(baseline.cpuMicros, 1),
      ratio: round(cpuRatio, 3),
    },
    details: {
      gatewayRequestsPerSecond: round(gateway.requestsPerSecond, 0),
      baselineRequestsPerSecond: round(baseline.requestsPerSecond, 0),
      gatewayP50Millis: round(gateway.p50Millis, 2),
      baselineP50Millis: round(baseline.p50Millis, 2),
      gatewayP99Millis: round(gateway.p99Millis, 2),
      baselineP99Millis: round(baseline.p99Millis, 2),
      p99Ratio: round(p99Ratio, 2),
      ...(residentMegabytes !== undefined && { residentMegabytes: round(residentMegabytes, 1) }),
    },
    note:
      `cpu ×${cpuRatio.toFixed(3)} (${pair((of) => of.cpuMicros, 1)} µs), ` +
      `${pair((of) => of.requestsPerSecond, 0)} req/s, p50 ${pair((of) => of.p50Millis, 2)} ms, ` +
      `p99 ×${p99Ratio.toFixed(2)} (${pair((of) => of.p99Millis, 1)} ms)${memory}`,
  }
}

/** One line of the table. */
export function line({ name, ratio, target, holds, note }: RowResult): string {
  const verdict = target === null ? '' : holds ? 'holds' : 'MISSES'
  return [
    name.padEnd(36),
    (ratio?.toFixed(3) ?? '').padStart(7),
    (target?.toFixed(2) ?? '').padStart(6),
    verdict.padEnd(7),
    note,
  ].join('  ')
}

export const HEADING: string = [
  'row'.padEnd(36),
  '  ratio',
  'target',
  'verdict',
  'gateway / baseline',
].join('  ')

export function json(results: readonly RowResult[]): string {
  const rows = results.map(({ name, ratio, target, holds, cpuMicrosPerRequest, details }) => ({
    name,
    ratio,
    target,
    holds,
    cpuMicrosPerRequest,
    ...details,
  }))
  return JSON.stringify(rows, null, 2)
}
