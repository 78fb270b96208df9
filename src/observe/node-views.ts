/** Reports of isolates → what is said of each node: what it runs, how far behind that is, what it refuses. */
import { refusedNow } from './refused-now.ts'
import type { ActiveRevision, Counted, IsolateFacts, IsolateView, NodeView } from './report.ts'

/** What the last report of an isolate said, and when it came. */
export interface SeenIsolate extends IsolateFacts {
  readonly isolate: string
  /** Milliseconds since the Unix epoch. */
  readonly seenAt: number
}

/** Isolates of one node that are shown one by one. */
const SHOWN = 20

/**
 * @param records - every isolate that is remembered
 * @param announced - what is active, where somebody has said so
 * @param goneAfterMs - after this long without a report an isolate is gone
 */
export function nodeViews(
  records: Iterable<SeenIsolate>,
  announced: ActiveRevision | null,
  now: number,
  goneAfterMs: number,
): NodeView[] {
  const nodes = Map.groupBy(records, ({ node }) => node)
  const live = ({ seenAt }: SeenIsolate): boolean => now - seenAt <= goneAfterMs
  const active = newest(announced, [...nodes.values()].flat().filter(live))
  return [...nodes]
    .map(([node, all]) => nodeView(node, all, all.filter(live), active, now))
    .sort((a, b) => (a.node < b.node ? -1 : 1))
}

interface Newest {
  readonly revision: number
  readonly issuedAt?: string | null | undefined
}

/** The pointer may have been moved by hand: then an isolate knows more than whoever announces. */
function newest(announced: ActiveRevision | null, isolates: readonly SeenIsolate[]): Newest {
  let found: Newest = announced ?? { revision: 0 }
  for (const isolate of isolates) if (isolate.revision > found.revision) found = isolate
  return found
}

function nodeView(
  node: string,
  all: readonly SeenIsolate[],
  live: readonly SeenIsolate[],
  active: Newest,
  now: number,
): NodeView {
  const last = all.reduce((a, b) => (b.seenAt > a.seenAt ? b : a))
  const silent = live.length === 0
  const told = silent ? [last] : live
  const revision = Math.min(...told.map((one) => one.revision))
  const behind = behindBy(active, revision, now)
  const refused = counted(
    told.flatMap((one) => refusedNow(one)),
    (refusal) => `${refusal.code} ${refusal.revision} ${refusal.plugin ?? ''}`,
  )
  const plugins = counted(
    told.flatMap((one) => one.plugins ?? []),
    ({ plugin, state }) => `${plugin} ${state}`,
  )
  const refuses = refused.length > 0 || plugins.some(({ state }) => state === 'last-good')
  return {
    node,
    labels: last.labels ?? {},
    state: silent ? 'silent' : refuses ? 'refused' : behind ? 'behind' : 'current',
    revision,
    behind,
    seenAt: new Date(last.seenAt).toISOString(),
    refused,
    plugins,
    count: live.length,
    isolates: live.slice(0, SHOWN).map((one) => isolateView(one)),
  }
}

function behindBy({ revision, issuedAt }: Newest, runs: number, now: number): NodeView['behind'] {
  if (runs >= revision) return null
  const since = issuedAt == null ? Number.NaN : Date.parse(issuedAt)
  const seconds = Number.isNaN(since) ? 0 : Math.max(0, Math.round((now - since) / 1000))
  return { revisions: revision - runs, seconds }
}

/** The same from several isolates is one, as the last of them says it. */
function counted<T extends object>(list: readonly T[], key: (one: T) => string): Counted<T>[] {
  const found = new Map<string, Counted<T>>()
  for (const one of list) {
    const isolates = (found.get(key(one))?.isolates ?? 0) + 1
    found.set(key(one), { ...one, isolates })
  }
  return [...found.values()].slice(0, SHOWN)
}

function isolateView({ isolate, revision, snapshot, seenAt, refusals }: SeenIsolate): IsolateView {
  return { isolate, revision, snapshot, seenAt: new Date(seenAt).toISOString(), refusals }
}
