/** One state of the store, as a row of a table: what is wrong, and what a gateway makes of it. */
import type { World } from './world.ts'

/** What requests are served with: the revision before, the new one, or the new one with an old plugin. */
export type Served = 'good' | 'next'

export interface State {
  /** Completes "the store's … is". */
  readonly what: string
  readonly arrange: (world: World) => void | Promise<void>
  /** The refusal that an operator sees; null where nothing is refused. */
  readonly code: string | null
  /** Where a revision runs: what it is afterwards. No request fails, whatever is here. */
  readonly warm: {
    readonly serves: Served
    /** Whether the new revision is the one that runs. */
    readonly live: boolean
    /** The pointer may be taken, its snapshot is not there. */
    readonly pending?: true
  }
  /** Where nothing runs yet. `none`: what comes next is the copy, then the baseline, then 503. */
  readonly cold: Served | 'none'
  /** Where an isolate that starts sees another refusal than one that runs. */
  readonly coldCode?: string | null
  /** Other headers that the response must have when the new revision is live. */
  readonly marks?: Readonly<Record<string, string | undefined>>
}
