/** What a rollout waits for, for people: the same conditions as in `steps.ts`, told and not acted on. */
import type { LedRollout } from './active-versions.ts'
import type { Finding } from './analysis.ts'
import { blackoutBegan } from './blackout.ts'
import type { RolloutState } from './state.ts'

export interface Outlook {
  /** In words; empty for what is over. */
  readonly waitsFor: string
  /** Until when, in milliseconds since the Unix epoch; absent where nobody knows. */
  readonly until?: number
}

/**
 * @param finding - what the analysis says now
 * @param isOff - whether its candidate is killed on all nodes
 * @param now - milliseconds since the Unix epoch
 * @param leadMs - from the decision of a rise to its effect
 */
export function outlookOf(
  { steps, blackout = [] }: LedRollout,
  { phase, step, since, reason }: RolloutState,
  finding: Finding | undefined,
  isOff: boolean,
  now: number,
  leadMs: number,
): Outlook {
  if (phase === 'complete') return { waitsFor: 'its promotion' }
  if (phase === 'paused') return { waitsFor: `somebody to resume it: ${reason}` }
  if (phase !== 'running') return { waitsFor: '' }
  if (isOff) return { waitsFor: 'its candidate to be let run again, for it is killed on all nodes' }
  const name = `step ${step + 1}`
  const { pauseMs = 0, passesWithinMs } = steps[step] ?? {}
  if (now < since) return { waitsFor: `${name} to take effect`, until: since }
  if (step >= 0 && now < since + pauseMs) {
    return { waitsFor: `the pause of ${name}`, until: since + pauseMs }
  }
  if (passesWithinMs !== undefined && finding?.verdict !== 'passes') {
    const until = since + Math.max(passesWithinMs, pauseMs)
    return { waitsFor: `the analysis of ${name} to pass, or it pauses`, until }
  }
  const isDark = blackoutBegan(blackout, undefined, now + leadMs) !== undefined
  if (isDark && step + 1 < steps.length) return { waitsFor: 'the end of a blackout' }
  return { waitsFor: 'the next look' }
}
