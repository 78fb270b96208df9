/**
 * What takes rollouts forward. Everything it knows is in its record: a controller that dies at any point
 * is followed by one that reads the record and goes on. A record is kept before it is published, and a
 * document that may have been published is never replaced by one in which a rise comes later: nodes that
 * have turned would turn back. Whatever cannot be read or written, weights stay as they are.
 */
import { modeOf } from '../config/rollout-modes.ts'
import type { RolloutMode, SnapshotRollout } from '../config/snapshot-rollout.ts'
import type { RolloutCounts } from './counts.ts'
import { NO_ROLLOUT_COUNTS } from './counts.ts'
import { publishRecord, type PublishPorts } from './publish-record.ts'
import { type Kill, NO_RECORD, type RolloutsRecord, withState } from './record.ts'
import { RolloutError } from './rollout-error.ts'
import type { RolloutState } from './state.ts'
import { advance, begin, pause, resume, RISE_LEAD_MS, rollBack } from './steps.ts'

/** A rollout of the active snapshot. */
export interface ActiveRollout {
  readonly rollout: SnapshotRollout
  /** Which version the candidate is, and which the plugin: `candidate-digest.ts`. */
  readonly candidate: string
  readonly stable: string
}

export interface ControllerPorts extends PublishPorts {
  readonly record: PublishPorts['record'] & {
    load(): Promise<RolloutsRecord | undefined>
  }
  /** @throws when it cannot be said what is active */
  active(): Promise<readonly ActiveRollout[]>
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

  constructor(ports: ControllerPorts, timing: ControllerTiming = TIMING) {
    this.#ports = ports
    this.#timing = timing
  }

  /**
   * Takes everything as far as it goes now, and publishes what has not been.
   * @returns when to be called again; undefined when nothing is under way
   * @throws what the ports throw; to be called again then
   */
  turn(): Promise<number | undefined> {
    return this.#alone(async () => {
      const record = await this.#forward(await this.#load())
      const done = await publishRecord(record, this.#ports, this.#timing.riseLeadMs)
      return !done || Object.values(record.rollouts).some(isUnderWay)
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
      // whoever goes back need not know what is active: KV may be down
      const all = action === 'start' ? await this.#ports.active() : []
      const active = all.find(({ rollout }) => rollout.id === id)
      const record = await this.#load()
      const before = record.rollouts[id]
      const now = this.#ports.now()
      const after = acted(id, action, `${PAST[action]} by ${by}`, before, active, now)
      const next = withState(record, id, after, now)
      if (next !== record) await this.#ports.record.save(next)
      await publishRecord(next, this.#ports, this.#timing.riseLeadMs)
      return after
    })
  }

  /** Sets the switch by which candidates are off on some nodes, or takes it back. */
  kill(kill: Kill, on: boolean): Promise<readonly Kill[]> {
    return this.#alone(async () => {
      const record = await this.#load()
      const text = JSON.stringify(sorted(kill))
      const others = record.kills.filter((one) => JSON.stringify(sorted(one)) !== text)
      const isOn = others.length < record.kills.length
      const kills = on ? [...others, sorted(kill)] : others
      const next = isOn === on ? record : { ...record, version: record.version + 1, kills }
      if (next !== record) await this.#ports.record.save(next)
      await publishRecord(next, this.#ports, this.#timing.riseLeadMs)
      return next.kills
    })
  }

  /** What it knows. */
  read(): Promise<RolloutsRecord> {
    return this.#alone(() => this.#load())
  }

  async #load(): Promise<RolloutsRecord> {
    return (await this.#ports.record.load()) ?? NO_RECORD
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => undefined)
    return mine
  }

  async #forward(record: RolloutsRecord): Promise<RolloutsRecord> {
    const { riseLeadMs } = this.#timing
    if (!Object.values(record.rollouts).some(isUnderWay)) return record
    const ports = this.#ports
    const active = new Map((await ports.active()).map((one) => [one.rollout.id, one]))
    const counts = await ports.counts()
    const now = ports.now()
    let next = record
    for (const [id, state] of Object.entries(record.rollouts)) {
      if (!isUnderWay(state)) continue
      const settled = settle(state, active.get(id), now)
      const rollout = active.get(id)?.rollout
      if (settled !== state || rollout === undefined) next = withState(next, id, settled, now)
      else {
        // of the step's own mode: a shadow's pairs are no requests that anybody got
        const seen = (mode: RolloutMode): RolloutCounts =>
          counts.get(`${id}/${state.run}/${mode}`) ?? NO_ROLLOUT_COUNTS
        const own = seen(modeOf(rollout, rollout.steps[state.step]))
        const { stable: served } = seen('enforce')
        const { state: advanced, finding } = advance(rollout, state, own, now, riseLeadMs, served)
        // the step before is not known to have been published: it has not begun for everybody
        if (advanced.step > state.step && record.confirmed !== record.version) continue
        next = withState(next, id, advanced, now, finding)
      }
    }
    if (next !== record) await ports.record.save(next)
    return next
  }
}

const PAST = { start: 'started', pause: 'paused', resume: 'resumed', abort: 'aborted' } as const

function isUnderWay({ phase }: RolloutState): boolean {
  return phase === 'running' || phase === 'paused' || phase === 'complete'
}

/** What becomes of a rollout by what is active, whatever its steps say. */
function settle(state: RolloutState, active: ActiveRollout | undefined, now: number): RolloutState {
  if (active === undefined) return rollBack(state, 'it is in the active snapshot no longer', now)
  if (active.stable === state.candidate) {
    return { ...state, phase: 'promoted', reason: 'the plugin is the candidate now' }
  }
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

function acted(
  id: string,
  action: RolloutAction,
  reason: string,
  before: RolloutState | undefined,
  active: ActiveRollout | undefined,
  now: number,
): RolloutState {
  if (action === 'start') {
    if (active === undefined) throw new RolloutError('rollout.unknown', id)
    const { candidate, stable } = active
    if (before !== undefined && isUnderWay(before) && before.candidate === candidate) return before
    if (candidate === stable) throw new RolloutError('rollout.nothing_to_do', id)
    return begin(candidate, before, now)
  }
  if (before === undefined) throw new RolloutError('rollout.unknown', id)
  const { phase } = before
  if (action === 'pause' && phase === 'running') return pause(before, reason, now)
  if (action === 'resume' && phase === 'paused') return resume(before, reason, now)
  if (action === 'abort' && isUnderWay(before)) return rollBack(before, reason, now)
  // what was asked for is so already
  if ({ pause: 'paused', resume: 'running', abort: 'rolled-back' }[action] === phase) return before
  throw new RolloutError('rollout.wrong_phase', `${id}: ${phase}`)
}

function sorted({ plugin, selector }: Kill): Kill {
  if (selector === undefined) return { plugin }
  const labels = Object.entries(selector).sort(([a], [b]) => (a < b ? -1 : 1))
  return { plugin, selector: Object.fromEntries(labels) }
}
