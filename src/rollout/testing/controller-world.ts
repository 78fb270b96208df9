/** Everything around a controller in a test: time, KV, what replies carry, and deaths between writes. */
import type { ActiveVersions } from '../active-versions.ts'
import type { ControllerTiming } from '../controller.ts'
import type { SnapshotRollout } from '../../config/snapshot-rollout.ts'
import { RolloutController } from '../controller.ts'
import { NO_ROLLOUT_COUNTS, type RolloutCounts } from '../counts.ts'
import type { RolloutsDocument, RolloutsRecord } from '../record.ts'
import { shareAt } from '../share.ts'
import { errors } from './counts.ts'
import { snapshotRollout } from './rollouts.ts'

export const START: number = Date.parse('2026-03-04T08:00:00Z')
export const ID = 'default.pricing-1.1'
export const GOOD: RolloutCounts = errors([1e6, 5000], [1e6, 5000])
export const BAD: RolloutCounts = errors([1e6, 5000], [1e6, 60_000])

const PLUGIN = 'default.pricing'

/** A snapshot with a rollout of one version, and the plugin of another. */
export function versions(
  candidate: string,
  plugin: string,
  revision = 1,
  spec: Partial<SnapshotRollout> = {},
): ActiveVersions {
  return {
    revision,
    rollouts: [{ rollout: snapshotRollout(spec), candidate }],
    plugins: new Map([[PLUGIN, plugin]]),
  }
}

/** The same without the rollout. */
export const without = (active: ActiveVersions): ActiveVersions => ({ ...active, rollouts: [] })

/** Writes fail when told to, before or behind what they do. */
export class World {
  now: number = START
  /** What a controller without a name gets. */
  name = 'edge'
  turnMs = 10_000
  stored: RolloutsRecord | undefined
  readonly published: { readonly at: number; readonly document: RolloutsDocument }[] = []
  /** What replies to reports carry: an older document than the last changes nothing. */
  readonly announced: { readonly at: number; readonly document: RolloutsDocument }[] = []
  kv: 'sound' | 'down' | 'unheard' = 'sound'
  reports: 'sound' | 'down' = 'sound'
  active: ActiveVersions = versions('new', 'old')
  /** Why nobody can say what is active. */
  unreadable: Error | undefined
  counted: RolloutCounts | Error = NO_ROLLOUT_COUNTS
  /** Of shadows. */
  pairs: RolloutCounts = NO_ROLLOUT_COUNTS
  /** The number of the write that is the last one before the controller dies; and whether it arrives. */
  dies: { readonly at: number; readonly written: boolean } | undefined
  writes = 0
  readonly #timing: ControllerTiming | undefined
  controller: RolloutController

  constructor(timing?: ControllerTiming) {
    this.#timing = timing
    this.controller = this.#controller()
  }

  /** A controller as it is after a restart: it has what is stored, nothing else. */
  restart(): void {
    this.controller = this.#controller()
  }

  #controller(): RolloutController {
    const alive = { yes: true }
    const write = (work: () => unknown): Promise<void> => this.#write(alive, work)
    return new RolloutController(
      {
        record: {
          load: () => Promise.resolve(structuredClone(this.stored)),
          save: (record) => write(() => (this.stored = structuredClone(record))),
        },
        standing: () =>
          this.kv === 'sound'
            ? Promise.resolve(this.published.at(-1)?.document.version ?? 0)
            : Promise.reject(new Error('KV cannot be read')),
        publish: (document) =>
          write(() => {
            if (this.kv === 'down') throw new Error('KV is down')
            this.published.push({ at: this.now, document: structuredClone(document) })
            if (this.kv === 'unheard') throw new Error('KV does not answer')
          }),
        announce: (document) =>
          write(() => {
            if (this.reports === 'down') throw new Error('the report object is down')
            const { version } = this.announced.at(-1)?.document ?? { version: 0 }
            if (document.version <= version) return
            this.announced.push({ at: this.now, document: structuredClone(document) })
          }),
        active: () =>
          this.unreadable ? Promise.reject(this.unreadable) : Promise.resolve(this.active),
        counts: () =>
          this.counted instanceof Error
            ? Promise.reject(this.counted)
            : Promise.resolve(
                new Map([
                  [`${ID}/1/enforce`, this.counted],
                  [`${ID}/1/shadow`, this.pairs],
                ]),
              ),
        now: () => this.now,
        name: () => this.name,
      },
      this.#timing,
    )
  }

  async #write(alive: { yes: boolean }, write: () => unknown): Promise<void> {
    if (!alive.yes) throw new Error('it is dead')
    this.writes += 1
    if (this.dies?.at !== this.writes) return void write()
    alive.yes = false
    if (this.dies.written) write()
    this.restart()
    throw new Error('killed')
  }

  async act(action: 'start' | 'pause' | 'resume' | 'abort'): Promise<void> {
    await this.controller.act(ID, action, 'ada')
  }

  /** Turn after turn; a turn that fails is followed by the next. */
  async run(ms: number, downMs = 10_000): Promise<this> {
    for (const end = this.now + ms; this.now < end;) {
      try {
        await this.controller.turn()
        this.now += this.turnMs
      } catch {
        this.now += downMs
      }
    }
    return this
  }

  get state(): RolloutsRecord['rollouts'][string] | undefined {
    return this.stored?.rollouts[ID]
  }

  /** The weight on a node that reads at once, or hears of it at once by a reply. */
  weight(at: number = this.now, from: World['published'] = this.published): number {
    const { document } = from.findLast((one) => one.at <= at) ?? {}
    return shareAt(document?.rollouts[ID]?.moves ?? [], { labels: {}, cap: 'enforce' }, at).weight
  }
}

/** Moves to a weight that replies spoke of before KV had them. */
export function raisedBeforeKv({ announced, published }: World): unknown[] {
  return announced.flatMap(({ at, document }) => {
    const inKv = published.filter((one) => one.at <= at)
    return Object.entries(document.rollouts).flatMap(([id, { run, moves }]) =>
      moves.filter(
        (move) =>
          move.weight > 0 &&
          !inKv.some(({ document: { rollouts } }) => {
            const known = rollouts[id]
            return known?.run === run && known.moves.some((one) => same(one, move))
          }),
      ),
    )
  })
}

const same = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b)
