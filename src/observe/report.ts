/**
 * What a node sends home, and the port it goes through. Everything is plain JSON: the same batch may go
 * over RPC to an object or over HTTP to another place.
 */
import type { Sample } from './metric.ts'

/** Something that was refused, as a status shows it. */
export interface ReportedRefusal {
  readonly code: string
  readonly message: string
  /** ISO 8601. */
  readonly at: string
  readonly revision: number
  readonly plugin?: string
}

/** What an isolate says of itself in every report. */
export interface IsolateFacts {
  /** The running gateway it is part of: a place on the edge, or a store. */
  readonly node: string
  /** The revision and snapshot that run; 0 and null for none. */
  readonly revision: number
  readonly snapshot: string | null
  readonly refusals: readonly ReportedRefusal[]
}

/** One batch. An isolate numbers its batches from 1 and sends one until that one is acknowledged. */
export interface Report extends IsolateFacts {
  /** Random, for each isolate. */
  readonly isolate: string
  readonly sequence: number
  /** What counters and histograms grew by since the batch before; gauges as they are, all of them. */
  readonly metrics: readonly Sample[]
  /** Counters of running rollouts. */
  readonly rollouts?: unknown
}

/** The active pointer, as far as a gateway must know it to look for itself. */
export interface ActiveRevision {
  readonly revision: number
  readonly snapshot: string
}

export interface ReportReply {
  /** This batch and all before it are kept: they need not be sent again. */
  readonly acknowledged: number
  /** What is active now; null when nobody has said so yet. */
  readonly active: ActiveRevision | null
  /** State of running rollouts. */
  readonly rollouts?: unknown
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

export interface NodeView {
  readonly node: string
  /** Those that have reported of late. */
  readonly isolates: readonly IsolateView[]
}

/** All reports in one. */
export interface MergedView {
  readonly nodes: readonly NodeView[]
  readonly metrics: readonly Sample[]
}

/** Where reports go. Calls belong to the request that makes them. */
export interface ReportSink {
  /** @throws when it cannot be reached: the batch is kept and sent again */
  send(report: Report): Promise<ReportReply>
  /** @param node - this one's isolates alone */
  view(node?: string): Promise<MergedView>
}
