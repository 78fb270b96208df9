/**
 * What takes rollouts forward. Everything it knows is in its record: a controller that dies at any point
 * is followed by one that reads the record and goes on. A record is kept before it is published, and a
 * document that may have been published is never replaced by one in which a rise comes later: nodes that
 * have turned would turn back. Whatever cannot be read or written, weights stay as they are.
 */
import type { PromotionLeave } from '../config/apply/apply-request.ts'
import { modeOf } from '../config/rollout-modes.ts'
import type { RolloutMode } from '../config/snapshot-rollout.ts'
import {
  type ActiveVersions,
  type KnownRollout,
  type KnownVersions,
  knownVersions,
  type LedRollout,
} from './active-versions.ts'
import type { RolloutCounts } from './counts.ts'
import { NO_ROLLOUT_COUNTS } from './counts.ts'
import { isOffEverywhere } from './kill-reach.ts'
import { promotionOf } from './promotion.ts'
import { aheadOfKv, publishRecord, type PublishPorts } from './publish-record.ts'
import {
  type Kill,
  NO_RECORD,
  type RolloutsRecord,
  withKnown,
  withoutOldest,
  withState,
} from './record.ts'
import { neverStarted, notApplied, RolloutError } from './rollout-error.ts'
import { rolloutView, type RolloutsView } from './rollouts-view.ts'
import type { RolloutState } from './state.ts'
import { type Advance, advance, begin, pause, resume, RISE_LEAD_MS, rollBack } from './steps.ts'
import { withKill } from './with-kill.ts'

export interface ControllerPorts extends PublishPorts {
  readonly record: PublishPorts['record'] & {
    load(): Promise<RolloutsRecord | undefined>
  }
  /** @throws when it cannot be said what is active */
  active(): Promise<ActiveVersions>
  /**
   * What has been counted, by `<rollout>/<run>/<mode>`.
   * @throws when it cannot be said
   */
  counts(): Promise<ReadonlyMap<string, RolloutCounts>>
}

/** How fast a deployment is, in milliseconds. */
export interface ControllerTiming {
  /** From the decision of a rise to its effect: until then every node has read of it. */
  readonly riseLeadMs: number
  /** How often it looks while something is under way. */
  readonly lookEveryMs: number
}

const TIMING: ControllerTiming = { riseLeadMs: RISE_LEAD_MS, lookEveryMs: 10_000 }

/** What an operator may ask for. */
export type RolloutAction = 'start' | 'pause' | 'resume' | 'abort'

export class RolloutController {
  readonly #ports: ControllerPorts
  readonly #timing: ControllerTiming
  /** One at a time: each begins with what the one before has kept. */
  #last: Promise<unknown> = Promise.resolve()
  #known: ActiveVersions | undefined

  constructor(ports: ControllerPorts, timing: ControllerTiming = TIMING) {
    this.#ports = ports
    this.#timing = timing
  }

  /**
   * Takes everything as far as it goes now, and publishes what has not been.
   * @param revision - that is known to be active, whatever the store shows yet
   * @returns when to be called again; undefined when nothing is under way
   * @throws what the ports throw; to be called again then
   */
  turn(revision = 0): Promise<number | undefined> {
    return this.#alone(async () => {
      const { record: decided, seen } = await this.#forward(await this.#load(), revision)
      const { version, confirmed, published } = decided
      const isNew = confirmed !== version && published?.version !== version
      const record = isNew ? await aheadOfKv(decided, this.#ports) : decided
      const done = await publishRecord(record, this.#ports, this.#timing.riseLeadMs)
      return !done || seen < revision || Object.values(record.rollouts).some(isUnderWay)
        ? this.#ports.now() + this.#timing.lookEveryMs
        : undefined
    })
  }

  /**
   * Does what an operator asks. Asked for again, it changes nothing.
   * @param by - who asks, for the history
   * @throws RolloutError when there is no such rollout, or it cannot be done in its phase
   */
  act(id: string, action: RolloutAction, by: string): Promise<RolloutState> {
    return this.#alone(async () => {
      const record = await this.#load()
      const before = record.rollouts[id]
      const reason = `${PAST[action]} by ${by}`
      // whoever goes back need not know what is active: KV may be down
      const { active, now: clock } = this.#ports
      const after =
        action === 'start'
          ? started(id, reason, before, await active(), clock())
          : acted(id, action, reason, record.rollouts, clock())
      const now = clock()
      const decided = withState(record, id, after, now)
      const next = await aheadOfKv(
        decided === record ? record : withoutOldest(decided),
        this.#ports,
      )
      if (next !== record) await this.#ports.record.save(next)
      await publishRecord(next, this.#ports, this.#timing.riseLeadMs)
      return after
    })
  }

  /**
   * Whether a candidate may become its plugin.
   * @param force - also before its steps are done, and where it is killed
   * @throws RolloutError for why not
   */
  promotion(id: string, force: boolean): Promise<PromotionLeave> {
    return this.#alone(async () => {
      const record = await this.#load()
      const { rollouts } = await this.#ports.active()
      const active = rollouts.find(({ rollout }) => rollout.id === id)
      if (record.rollouts[id] === undefined) throw neverStarted(id, Object.keys(record.rollouts))
      return promotionOf(id, record.rollouts[id], active, record.kills, force, this.#ports.now())
    })
  }

  /**
   * Sets the switch by which candidates are off on some nodes, or takes it back.
   * @param by - who asks, for the history
   * @throws RolloutError for a plugin that there is none of, as far as that can be said, and when there is
   *   nothing to take back: whoever believes that a candidate is off must not be mistaken
   */
  kill(kill: Kill, on: boolean, by: string): Promise<readonly Kill[]> {
    return this.#alone(async () => {
      const record = await this.#load()
      if (on) await this.#checkPlugin(kill.plugin)
      const turned = withKill(record, kill, on, by, this.#ports.now())
      const next = await aheadOfKv(turned, this.#ports)
      if (next !== record) await this.#ports.record.save(next)
      await publishRecord(next, this.#ports, this.#timing.riseLeadMs)
      return next.kills
    })
  }

  /** @throws RolloutError */
  async #checkPlugin(plugin: string): Promise<void> {
    let active
    try {
      active = await this.#ports.active()
    } catch {
      // nobody waits for a KV that is down to take a candidate off
      return
    }
    if (active.plugins.has(plugin)) return
    const rollout = active.rollouts.find((one) => one.rollout.id === plugin)?.rollout
    const meant = rollout && `: it is a rollout of ${rollout.plugin}, and a kill is for the plugin`
    throw new RolloutError('rollout.unknown_plugin', `there is no plugin ${plugin}${meant ?? ''}`)
  }

  /** What it knows. Not in turn: who looks on waits for nobody, and nobody who goes back waits for them. */
  async read(): Promise<RolloutsView> {
    const { known: _, ...record } = await this.#load()
    return { ...record, now: this.#ports.now(), riseLeadMs: this.#timing.riseLeadMs }
  }

  /** The same, with what is active and what is counted by now, as far as that can be had. */
  async view(): Promise<RolloutsView> {
    const read = await this.read()
    const [active, counted] = await Promise.allSettled([this.#ports.active(), this.#ports.counts()])
    const missing = [active, counted].flatMap((one) =>
      one.status === 'rejected' ? [messageOf(one.reason)] : [],
    )
    const last = active.status === 'fulfilled' ? active.value : await this.#lastKnown()
    const views = (last?.rollouts ?? []).flatMap(({ rollout, candidate }) => {
      const state = read.rollouts[rollout.id]
      if (state?.candidate !== candidate) return []
      const { now, riseLeadMs } = read
      const finding =
        counted.status === 'fulfilled'
          ? this.#look(rollout, state, counted.value, now).finding
          : undefined
      const isOff = isOffEverywhere(read.kills, rollout)
      const view = rolloutView(rollout, state, finding, isOff, now, riseLeadMs)
      return [[rollout.id, view] as const]
    })
    const ids =
      active.status === 'fulfilled' ? last?.rollouts.map(({ rollout }) => rollout.id) : undefined
    return {
      ...read,
      views: Object.fromEntries(views),
      ...(ids && { notStarted: ids.filter((id) => read.rollouts[id] === undefined) }),
      ...(missing.length > 0 && { unseen: missing.join('; ') }),
    }
  }

  /** Where a rollout goes from where it is, by what is counted of its own mode. */
  #look(
    rollout: LedRollout,
    state: RolloutState,
    counts: ReadonlyMap<string, RolloutCounts>,
    now: number,
  ): Advance {
    // a shadow's pairs are no requests that anybody got
    const seen = (mode: RolloutMode): RolloutCounts =>
      counts.get(`${rollout.id}/${state.run}/${mode}`) ?? NO_ROLLOUT_COUNTS
    const own = seen(modeOf(rollout, rollout.steps[state.step]))
    const { stable: served } = seen('enforce')
    return advance(rollout, state, own, now, this.#timing.riseLeadMs, served)
  }

  async #load(): Promise<RolloutsRecord> {
    return (await this.#ports.record.load()) ?? NO_RECORD
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => undefined)
    return mine
  }

  /** What is active; while KV cannot be read, what was last: enough to find a candidate worse. */
  async #active(): Promise<
    | { readonly fresh: ActiveVersions; readonly known?: undefined }
    | { readonly fresh?: undefined; readonly known: KnownVersions }
  > {
    try {
      this.#known = await this.#ports.active()
      return { fresh: this.#known }
    } catch (error) {
      const known = await this.#lastKnown()
      if (known === undefined) throw error
      return { known }
    }
  }

  async #lastKnown(): Promise<KnownVersions | undefined> {
    return this.#known ?? (await this.#load()).known
  }

  /** @returns also which revision it has seen, as far as there was anything to see */
  async #forward(
    record: RolloutsRecord,
    revision: number,
  ): Promise<{ readonly record: RolloutsRecord; readonly seen: number }> {
    const states = Object.values(record.rollouts)
    if (!states.some(mayChange)) return { record, seen: Infinity }
    const ports = this.#ports
    const looked = await this.#active()
    const { fresh } = looked
    const known = looked.fresh ?? looked.known
    const active = new Map(known.rollouts.map((one) => [one.rollout.id, one]))
    // what a store shows of before says nothing of what has become of a rollout
    const versions = fresh && fresh.revision >= revision ? fresh : undefined
    const counts = states.some(isUnderWay) ? await ports.counts() : new Map<string, RolloutCounts>()
    const now = ports.now()
    let next = record
    for (const [id, state] of Object.entries(record.rollouts)) {
      if (!mayChange(state)) continue
      const settled = versions ? settle(state, active.get(id), versions, now) : state
      const rollout = active.get(id)?.rollout
      if (settled !== state || rollout === undefined) next = withState(next, id, settled, now)
      else {
        const isOff = isOffEverywhere(record.kills, rollout)
        // what runs nowhere shows nothing: its step begins when it is let run again
        const since = isOff && state.phase === 'running' ? Math.max(state.since, now) : state.since
        const held = since === state.since ? state : { ...state, since }
        const { state: advanced, finding } = this.#look(rollout, held, counts, now)
        // nor does one rise while KV cannot be read, or has not got the step before
        const mayRise = fresh !== undefined && record.confirmed === record.version && !isOff
        if (advanced.step > state.step && !mayRise) continue
        next = withState(next, id, advanced, now, finding)
      }
    }
    if (versions) next = withKnown(next, knownVersions(versions, underWay(next)))
    if (next !== record) await ports.record.save(next)
    return { record: next, seen: known.revision }
  }
}

const PAST = { start: 'started', pause: 'paused', resume: 'resumed', abort: 'aborted' } as const

const WHEN = {
  pause: 'only what is running is paused',
  resume: 'only what is paused is resumed',
  abort: 'nothing of it is under way',
} as const

function isUnderWay({ phase }: RolloutState): boolean {
  return phase === 'running' || phase === 'paused' || phase === 'complete'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function underWay({ rollouts }: RolloutsRecord): ReadonlySet<string> {
  return new Set(Object.keys(rollouts).filter((id) => rollouts[id] && isUnderWay(rollouts[id])))
}

/** A promotion may be undone. */
function mayChange(state: RolloutState): boolean {
  return isUnderWay(state) || state.phase === 'promoted'
}

/** What becomes of a rollout by what is active, whatever its steps say. */
function settle(
  state: RolloutState,
  active: KnownRollout | undefined,
  { revision, plugins }: ActiveVersions,
  now: number,
): RolloutState {
  const { candidate, plugin = active?.rollout.plugin } = state
  // first: its weights stay, so that nodes which do not know of the promotion yet do not go back
  const isCandidate = plugin !== undefined && plugins.get(plugin) === candidate
  if (state.phase === 'promoted') {
    // an older revision, that the store shows again, says nothing
    const isUndone = !isCandidate && revision > (state.promotedIn ?? revision)
    return isUndone ? rollBack(state, `revision ${revision} undoes its promotion`, now) : state
  }
  if (isCandidate) {
    const reason = `the plugin is the candidate since revision ${revision}`
    return { ...state, phase: 'promoted', promotedIn: revision, reason }
  }
  if (active === undefined) return rollBack(state, 'it is in the active snapshot no longer', now)
  if (active.candidate !== state.candidate) {
    return rollBack(state, 'its candidate is another one now; start it again', now)
  }
  const step = active.rollout.steps[state.step]
  if (step === undefined || modeOf(active.rollout, step) === modeUnderWay(state)) return state
  return rollBack(state, `step ${state.step + 1} has another mode now; start it again`, now)
}

function modeUnderWay({ moves }: RolloutState): RolloutMode {
  return moves.at(-1)?.mode ?? 'enforce'
}

/** @returns the beginning of a run, or the one that is under way: asked for again, it changes nothing */
function started(
  id: string,
  reason: string,
  before: RolloutState | undefined,
  { rollouts, plugins }: ActiveVersions,
  now: number,
): RolloutState {
  const active = rollouts.find(({ rollout }) => rollout.id === id)
  if (active === undefined) {
    const known = rollouts.map(({ rollout }) => rollout.id)
    throw notApplied(id, known)
  }
  const { rollout, candidate } = active
  const { plugin } = rollout
  if (plugins.get(plugin) === candidate) {
    const message = `${plugin} is the candidate of ${id} already`
    throw new RolloutError('rollout.nothing_to_do', message)
  }
  if (before?.candidate === candidate && isUnderWay(before)) {
    if (before.phase === 'running') return before
    const todo = before.phase === 'paused' ? 'resume it' : 'promote it'
    const message = `${id} is ${before.phase}: ${todo}, or abort it to start again`
    throw new RolloutError('rollout.wrong_phase', message)
  }
  return { ...begin(candidate, before, now), reason, plugin }
}

function acted(
  id: string,
  action: Exclude<RolloutAction, 'start'>,
  reason: string,
  rollouts: RolloutsRecord['rollouts'],
  now: number,
): RolloutState {
  const before = rollouts[id]
  if (before === undefined) throw neverStarted(id, Object.keys(rollouts))
  const { phase } = before
  if (action === 'pause' && phase === 'running') return pause(before, reason, now)
  if (action === 'resume' && phase === 'paused') return resume(before, reason, now)
  if (action === 'abort' && isUnderWay(before)) return rollBack(before, reason, now)
  // what was asked for is so already
  if ({ pause: 'paused', resume: 'running', abort: 'rolled-back' }[action] === phase) return before
  const message = `${id} is ${phase}: ${WHEN[action]}`
  throw new RolloutError('rollout.wrong_phase', message)
}
