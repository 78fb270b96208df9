/**
 * Gateway API's durations: up to four parts of a number and a unit, such as `500ms` or `1h30m`.
 * @see https://gateway-api.sigs.k8s.io/geps/gep-2257/
 */
import type * as v from 'valibot'
import { text } from './fields.ts'

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

export const duration: v.GenericSchema<string> = text(
  /^([0-9]{1,5}(h|m|s|ms)){1,4}$/,
  'a duration such as 500ms, 10s or 1m30s',
)

/** @param value a duration as `duration` accepts it */
export function durationMs(value: string): number {
  let sum = 0
  for (const [, amount, unit = ''] of value.matchAll(/(\d+)(h|ms|m|s)/g)) {
    sum += Number(amount) * (UNIT_MS[unit] ?? 0)
  }
  return sum
}
