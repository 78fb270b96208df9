/**
 * Time from `Date.now()`. In workerd it stands still while code runs and `performance.now()` tells the
 * same, so there is no finer clock to read; in Node milliseconds are fine enough for plugins.
 */
import type { Clock } from '../ports.ts'

const NANOSECONDS_PER_MILLISECOND = 1_000_000n

/** @param now - milliseconds since the Unix epoch; may go back, when the system's clock is set */
export function systemClock(now: () => number = Date.now): Clock {
  let latest = 0
  return {
    realtime: () => nanoseconds(now()),
    monotonic() {
      latest = Math.max(latest, now())
      return nanoseconds(latest)
    },
  }
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.floor(milliseconds)) * NANOSECONDS_PER_MILLISECOND
}
