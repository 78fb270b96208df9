/**
 * Every code that configuration, the admin API and the command line can answer with: whose fault it
 * is and what to do next. `docs/OPERATIONS.md` has one entry per code; a test holds the two together.
 * A code never changes its meaning; one that is no longer thrown is removed from both.
 */
import { ANSWERED_CODES } from './answered-codes.ts'
import { LOCAL_CODES } from './local-codes.ts'
import { REFUSAL_CODES } from './refusal-codes.ts'

/** Who has to act. */
export type Fault = 'client' | 'plugin' | 'upstream' | 'gateway'

export interface CodeEntry {
  /** Whose fault it is. For configuration `client` is the operator who wrote it. */
  readonly fault: Fault
  /** What to do next, one sentence. */
  readonly next: string
}

/**
 * All of them. A new code goes into `answered-codes.ts` when the admin API itself answers with it, into
 * `refusal-codes.ts` when it comes of a change, else into `local-codes.ts`.
 */
export const ERROR_CODES: typeof ANSWERED_CODES & typeof REFUSAL_CODES & typeof LOCAL_CODES = {
  ...ANSWERED_CODES,
  ...REFUSAL_CODES,
  ...LOCAL_CODES,
}

export type ErrorCode = keyof typeof ERROR_CODES
