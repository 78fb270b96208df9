/**
 * The time of an isolate as a test wants it: `Date.now` and nothing else, so timers and alarms run on. To
 * be imported before what is tested.
 */
import { env } from 'cloudflare:workers'

const now = Date.now

export const clock = {
  /** Milliseconds that this isolate is ahead of everybody else; it begins where the one before has ended. */
  ahead: Number(env.CLOCK_AHEAD_MS ?? 0),
}

Date.now = () => now() + clock.ahead
