/** Blackout windows of a rollout: whether a moment is in one, in whose local time, and since when. */
import type { SnapshotBlackout } from '../config/snapshot-rollout.ts'

const MINUTE = 60_000
const DAY = 24 * 60
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/**
 * @param windows - of a rollout
 * @param timeZone - of the node, for windows that name none; undefined: those are left out
 * @param now - milliseconds since the Unix epoch
 * @returns when the blackout began that `now` is in, windows that follow one another without a gap
 *   taken as one; undefined when it is in none
 */
export function blackoutBegan(
  windows: readonly SnapshotBlackout[],
  timeZone: string | undefined,
  now: number,
): number | undefined {
  let began: number | undefined
  // no week is longer: windows that never end do not keep anybody here
  for (let at = now; now - at <= 7 * DAY * MINUTE; at = began - 1) {
    const before = earliest(windows, timeZone, at)
    if (before === undefined) return began
    began = before
  }
  return began
}

/** When the window began that a moment is in; of several the one that began first. */
function earliest(
  windows: readonly SnapshotBlackout[],
  timeZone: string | undefined,
  at: number,
): number | undefined {
  const beginnings = windows.flatMap(
    (window) => windowBegan(window, window.timeZone ?? timeZone, at) ?? [],
  )
  return beginnings.length === 0 ? undefined : Math.min(...beginnings)
}

function windowBegan(
  { from, to, days }: SnapshotBlackout,
  timeZone: string | undefined,
  at: number,
): number | undefined {
  if (timeZone === undefined) return undefined
  const { day, minute } = localTime(at, timeZone)
  const since = (minute - from + DAY) % DAY
  if (since >= (to - from + DAY) % DAY) return undefined
  const beganOn = minute >= from ? day : (day + 6) % 7
  if (days !== undefined && !days.includes(beganOn)) return undefined
  return Math.floor(at / MINUTE) * MINUTE - since * MINUTE
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Day of the week and minute of the day; UTC for a zone that the platform does not know. */
function localTime(
  at: number,
  timeZone: string,
): { readonly day: number; readonly minute: number } {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = formatIn(timeZone) ?? formatIn('UTC')
    if (format === undefined) throw new RangeError('the platform has no time zones')
    formats.set(timeZone, format)
  }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return {
    day: WEEKDAYS.indexOf(parts.get('weekday') ?? ''),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  }
}

function formatIn(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
  } catch {
    return undefined
  }
}
