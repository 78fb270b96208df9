/** What the controller remembers, and what it lets nodes read: plain JSON, both of it. */
import type { RolloutMode } from '../config/snapshot-rollout.ts'
import type { KnownVersions } from './active-versions.ts'
import type { Finding } from './analysis.ts'
import type { RolloutPhase, RolloutState } from './state.ts'

/** Nodes on which a plugin's candidate never runs, whatever its rollout says. */
export interface Kill {
  readonly plugin: string
  /** Labels of the nodes; absent: all. */
  readonly selector?: Readonly<Record<string, string>>
}

/** Of one rollout: what a node has to know, and why it is so. */
export type PublishedRollout = Pick<
  RolloutState,
  'run' | 'candidate' | 'phase' | 'reason' | 'moves'
>

/** The value of the key `rollouts`. It names no code: only which side of a snapshot counts from when on. */
export interface RolloutsDocument {
  /** Grows with each change; an older one is not taken. */
  readonly version: number
  /** The controller's own name; absent in documents of an older Postern, or written by hand. */
  readonly publisher?: string
  readonly rollouts: Readonly<Record<string, PublishedRollout>>
  readonly kills: readonly Kill[]
}

/** One move or verdict, kept for people. */
export interface RolloutEvent {
  /** Milliseconds since the Unix epoch. */
  readonly at: number
  readonly rollout: string
  readonly run: number
  readonly phase: RolloutPhase
  readonly step: number
  /** That counts, or is about to. */
  readonly weight: number
  /** In which mode; absent: enforce. */
  readonly mode?: RolloutMode
  /** Labels of the nodes; absent: all of the audience's. */
  readonly selector?: Readonly<Record<string, string>>
  readonly reason: string
  /** What the analysis said then. */
  readonly finding?: Finding
}

export interface RolloutsRecord {
  readonly version: number
  /** Random: two controllers count their versions apart. Absent until something is published. */
  readonly publisher?: string
  readonly rollouts: Readonly<Record<string, RolloutState>>
  readonly kills: readonly Kill[]
  /** Newest last. */
  readonly history: readonly RolloutEvent[]
  /** What was published last, or was about to be: a node may have read it. */
  readonly published?: RolloutsDocument
  /** The version that is known to have been published. */
  readonly confirmed: number
  /** That document, as KV has it. */
  readonly inKv?: RolloutsDocument
  /** The version that replies to reports are known to carry. */
  readonly announced?: number
  /** What was active last: with KV down after a restart, what has become worse can be taken back all the same. */
  readonly known?: KnownVersions
}

export const NO_RECORD: RolloutsRecord = {
  version: 0,
  rollouts: {},
  kills: [],
  history: [],
  confirmed: 0,
}

/** How many events are kept. */
const KEPT_EVENTS = 200

/**
 * A record in which one rollout is in another state. What changed for people is an event.
 * @param finding - what the analysis said
 */
export function withState(
  record: RolloutsRecord,
  rollout: string,
  state: RolloutState,
  at: number,
  finding?: Finding,
): RolloutsRecord {
  const before = record.rollouts[rollout]
  if (before === state) return record
  const rollouts = { ...record.rollouts, [rollout]: state }
  const { run, phase, step, reason } = state
  const news =
    before?.run !== run ||
    before.phase !== phase ||
    before.step !== step ||
    before.reason !== reason ||
    before.moves.length !== state.moves.length
  // marks and the like are the controller's own: no node has to read them
  if (!news) return { ...record, rollouts }
  const event = { ...eventOf(rollout, state, at, reason), ...(finding && { finding }) }
  return withEvents({ ...record, version: record.version + 1, rollouts }, [event])
}

/** What is told of a rollout that is in a state, and why. */
export function eventOf(
  rollout: string,
  { run, phase, step, moves }: RolloutState,
  at: number,
  reason: string,
): RolloutEvent {
  const { weight = 0, mode, selector } = moves.at(-1) ?? {}
  return {
    at,
    rollout,
    run,
    phase,
    step,
    weight,
    ...(mode && { mode }),
    ...(selector && { selector }),
    reason,
  }
}

/** A record with more to tell. */
export function withEvents(
  record: RolloutsRecord,
  events: readonly RolloutEvent[],
): RolloutsRecord {
  return { ...record, history: [...record.history, ...events].slice(-KEPT_EVENTS) }
}

/** A record that remembers what is active; the same when it does already. No node has to read of it. */
export function withKnown(record: RolloutsRecord, known: KnownVersions): RolloutsRecord {
  const isSame = JSON.stringify(known) === JSON.stringify(record.known)
  return isSame ? record : { ...record, known }
}

/** How many rollouts that are over are kept. */
const KEPT_OVER = 50

/**
 * A record that has room for another rollout: nodes read all of them again and again, and whoever names each
 * version's rollout after the version never uses a name twice. Nobody has the candidate of one that is
 * forgotten; started again, it is one that was never started.
 */
export function withoutOldest(record: RolloutsRecord): RolloutsRecord {
  const lastMove = ({ startedAt, moves }: RolloutState): number =>
    moves.at(-1)?.effectiveAt ?? startedAt
  const over = Object.entries(record.rollouts)
    .filter(([, { phase }]) => phase === 'rolled-back' || phase === 'promoted')
    .sort(([, a], [, b]) => lastMove(b) - lastMove(a))
  const oldest = new Set(over.slice(KEPT_OVER).map(([id]) => id))
  if (oldest.size === 0) return record
  const kept = Object.entries(record.rollouts).filter(([id]) => !oldest.has(id))
  return { ...record, rollouts: Object.fromEntries(kept) }
}

/** What nodes are to read of a record. */
export function documentOf({
  version,
  publisher,
  rollouts,
  kills,
}: RolloutsRecord): RolloutsDocument {
  const published = Object.entries(rollouts).map(
    ([id, { run, candidate, phase, reason, moves }]) =>
      [id, { run, candidate, phase, reason, moves }] as const,
  )
  const named = publisher === undefined ? {} : { publisher }
  return { version, ...named, rollouts: Object.fromEntries(published), kills }
}
