/**
 * What a node sends home, and the port it goes through. Everything is plain JSON: the same batch may go
 * over RPC to an object or over HTTP to another place.
 */
import type { Sample } from './metric.ts'
import type { Runs } from './past-runs.ts'

/** Something that was refused, as a status shows it. */
export interface ReportedRefusal {
  readonly code: string
  readonly message: string
  /** ISO 8601. */
  readonly at: string
  readonly revision: number
  readonly plugin?: string
}

/** A plugin whose version of the running revision does not run. */
export interface ReportedPlugin {
  readonly plugin: string
  /** `last-good`: the version before runs in its place; `failed`: nothing does. */
  readonly state: 'last-good' | 'failed'
  readonly reason: string
}

/** What an isolate says of itself in every report. What may be absent is so in reports of an older Postern. */
export interface IsolateFacts {
  /** The running gateway it is part of: a place on the edge, or a store. */
  readonly node: string
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** The revision and snapshot that run; 0 and null for none. */
  readonly revision: number
  readonly snapshot: string | null
  /** ISO 8601: when that revision was made. */
  readonly issuedAt?: string | null
  /** ISO 8601: when the store last said what is active. */
  readonly checkedAt?: string | null
  /** What it refused, what has been put right since included. */
  readonly refusals: readonly ReportedRefusal[]
  readonly plugins?: readonly ReportedPlugin[]
  /** Which document of rollouts it knows; 0 for none. */
  readonly rolloutsVersion?: number
  /** Whose that is: another's is news whatever its number. */
  readonly rolloutsPublisher?: string
}

/**
 * State of running rollouts, as `rollout/record.ts` has it. Here only its age counts, and which runs are
 * over: whoever takes it in looks at the rest.
 */
export interface VersionedRollouts {
  readonly version: number
  readonly publisher?: string
  readonly rollouts?: Runs
}

/** One batch. An isolate numbers its batches from 1 and sends one until that one is acknowledged. */
export interface Report extends IsolateFacts {
  /** Random, for each isolate. */
  readonly isolate: string
  readonly sequence: number
  /** What counters and histograms grew by since the batch before; gauges as they are, all of them. */
  readonly metrics: readonly Sample[]
}

/** The active pointer, as far as a gateway must know it to look for itself. */
export interface ActiveRevision {
  readonly revision: number
  readonly snapshot: string
  /** ISO 8601. */
  readonly issuedAt?: string | undefined
}

export interface ReportReply {
  /** This batch and all before it are kept: they need not be sent again. */
  readonly acknowledged: number
  /** What is active now; null when nobody has said so yet. */
  readonly active: ActiveRevision | null
  /** State of running rollouts, when it is newer than what the report says is known. */
  readonly rollouts?: VersionedRollouts
}

/** One isolate in the merged view. */
export interface IsolateView {
  readonly isolate: string
  readonly revision: number
  readonly snapshot: string | null
  /** ISO 8601: when it last reported. */
  readonly seenAt: string
  readonly refusals: readonly ReportedRefusal[]
}

/** What several isolates say, and how many of them. */
export type Counted<T> = T & { readonly isolates: number }

export interface NodeView {
  readonly node: string
  readonly labels: Readonly<Record<string, string>>
  /**
   * `refused`: an isolate refuses something now, or runs a last good version; `behind`: one runs an older
   * revision than the active one; `silent`: none has reported of late, and this is what they last said.
   */
  readonly state: 'current' | 'behind' | 'refused' | 'silent'
  /** The lowest that one of its isolates runs. */
  readonly revision: number
  /** How far that is from the active one; null when it is that. */
  readonly behind: { readonly revisions: number; readonly seconds: number } | null
  /** ISO 8601: when one of them last reported. */
  readonly seenAt: string
  /** What is refused now, by code, revision and plugin. */
  readonly refused: readonly Counted<ReportedRefusal>[]
  readonly plugins: readonly Counted<ReportedPlugin>[]
  /** How many have reported of late. */
  readonly count: number
  /** Those that have, or the first twenty of them. */
  readonly isolates: readonly IsolateView[]
}

/** All reports in one. */
export interface MergedView {
  /** What is active; null when nobody has said so yet. */
  readonly active: ActiveRevision | null
  readonly nodes: readonly NodeView[]
  readonly metrics: readonly Sample[]
}

/** Where reports go. Calls belong to the request that makes them. */
export interface ReportSink {
  /**
   * @throws when it cannot be reached: the batch is kept and sent again
   * @throws ReportRefused when this batch will never be taken
   */
  send(report: Report): Promise<ReportReply>
  /**
   * Absent where what all have reported is to be seen elsewhere: see `hub`.
   * @param node - this one's isolates alone
   */
  view?(node?: string): Promise<MergedView>
  /** The gateway that all is seen at, when that is another one: its URL. */
  readonly hub?: string
}
