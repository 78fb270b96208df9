/** What the command line and the thread in which guests run tell each other. */
import type { Snapshot } from '../../config/snapshot.ts'
import type { SnapshotRollout } from '../../config/snapshot-rollout.ts'
import type { Played } from '../../simulate/simulation.ts'
import type { CalloutAnswer, RecordedExchange } from '../../simulate/traffic/exchange.ts'

/** What a thread begins with. */
export interface WorkerSetup {
  readonly snapshot: Snapshot
  readonly rollout: SnapshotRollout
  /** Paths of modules, by sha256. */
  readonly files: ReadonlyMap<string, string>
  readonly nodeLabels: Readonly<Record<string, string>>
  readonly callouts: readonly CalloutAnswer[]
  readonly seed: number
  /** Milliseconds since the Unix epoch. */
  readonly epoch: number
  /** One number: which side runs now. Shared, as a guest that does not come back can tell nobody. */
  readonly side: SharedArrayBuffer
}

/** In the shared number; 0: none runs. */
export const SIDE_NUMBERS = { stable: 1, candidate: 2 } as const

export interface VersionNotStarted {
  readonly side: 'stable' | 'candidate'
  readonly reason: string
  readonly logs: readonly string[]
}

export interface ToWorker {
  readonly exchange: RecordedExchange
}

/** `loaded`: the code and the modules are there, and guests run from now on. */
export type ToMain =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-started'; readonly notStarted: VersionNotStarted }
  | { readonly kind: 'module'; readonly message: string }
  | { readonly kind: 'played'; readonly played: Played }
