/** What one version of a plugin made of one stream, so that two versions can be compared. */
import type { HeaderLines } from '../ports.ts'
import type { IoContext } from './io-context.ts'
import type { HeaderMap } from './header-map.ts'
import type { StreamInfo } from './attributes.ts'
import type { Tally } from './tally.ts'

/**
 * `passed`: both messages went on, as far as there were any. `answered`: it gave the answer itself.
 * `failed`: it trapped, or held the stream for longer than it may. `held`: it would hold the stream with
 * nothing under way that could let it go on. `reset`: it broke the stream off.
 */
export type Outcome = 'passed' | 'answered' | 'failed' | 'held' | 'reset'

export interface VerdictMessage {
  readonly headers: HeaderLines
  /** Undefined where neither version looks at it. */
  readonly body: Uint8Array | undefined
}

export interface Verdict {
  readonly outcome: Outcome
  /** The answer, of one that answered. */
  readonly reply: (VerdictMessage & { readonly status: number }) | undefined
  /** As they left it; undefined where they did not. */
  readonly request: VerdictMessage | undefined
  readonly response: VerdictMessage | undefined
  /** What it did in all of its callbacks, those behind the stream's end included. */
  readonly tally?: Tally | undefined
}

/**
 * Why there is nothing to compare. `too-large`: a body, or what callouts brought. `incomplete`: the client
 * left, the upstream broke off, or a body could not be shown. `busy`: too many at the same time.
 * `unavailable`: the candidate does not start, or waits after a failure.
 */
export type NotCompared = 'too-large' | 'incomplete' | 'busy' | 'unavailable'

/** Who hears what came of shadow runs; called behind the response. */
export interface ShadowObserver {
  compared(stable: Verdict, candidate: Verdict, about: ShadowedStream): void
  /** @param down - what the plugin did in a stream that the candidate has failed: it waits after a trap */
  notCompared(why: NotCompared, down?: Tally): void
}

/** Which stream it was. */
export interface ShadowedStream {
  readonly info: StreamInfo
  /** As they came to the plugin. */
  readonly request: HeaderMap
  readonly io: IoContext
}
