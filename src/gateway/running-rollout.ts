/** One rollout on one node: who is of its audience, which side a request gets, and in which mode. */
import { looksInside } from '../config/counted-plugins.ts'
import type { RouteCandidate } from '../config/route-order.ts'
import type { RolloutMode, SnapshotRollout } from '../config/snapshot-rollout.ts'
import { type Plugin, runIn, type Shadow, type Watch } from '../proxy-wasm/index.ts'
import { boundOf, saltOf, type Side, sideOf } from '../rollout/pick.ts'
import { stickyKeyOf } from '../rollout/sticky-key.ts'
import type { Exchange } from './exchange.ts'
import type { Meters, SideMeter } from './meters.ts'
import { PathTable } from './path-table.ts'
import type { RolloutWeights } from './rollout-weights.ts'
import type { RoutedRequest } from './routed-request.ts'
import { ShadowMeter } from './shadow-meter.ts'
import { clientIp } from './stream-info.ts'

/** Of blackouts, and of what a node has let go: a move counts from its time on. */
const WORKED_OUT_MS = 1_000
/** So long a candidate that was previewed stays, though nobody else is to have it. */
const PREVIEWED_MS = 60_000

export class RunningRollout {
  readonly stable: Plugin
  /** One for each mode that there may be here, from the least on. */
  readonly #candidates: ReadonlyMap<RolloutMode, Plugin>
  /** The most that its steps say for this node; undefined where none is for it. */
  readonly #cap: RolloutMode | undefined
  readonly #rollout: SnapshotRollout
  readonly #weights: RolloutWeights
  readonly #meters: Meters
  /** Undefined: every request. */
  readonly #audience: PathTable | undefined
  readonly #always: ReadonlySet<string>
  readonly #never: ReadonlySet<string>
  /** Until when what follows holds, of which document. */
  #validUntil = -Infinity
  #changes = -1
  #previewedAt = -Infinity
  /** 0: none has been started. */
  #run = 0
  #isOver = false
  #isKilled = false
  #salt = 0
  #mode: RolloutMode = 'enforce'
  #weight = 0
  #bound = 0
  /** The side of all, whatever their keys; undefined where a key is to be looked for. */
  #everybody: Side | undefined
  #sides: Partial<Record<Side, SideMeter>> = {}
  /** Whether it is compared by more than by how requests are answered. */
  readonly #looksInside: boolean
  #watches: Partial<Record<Side, Watch>> = {}
  readonly #shadows = new Map<string, Shadow>()

  /** @param candidates - one for each mode that the steps have for this node, from the least on */
  constructor(
    rollout: SnapshotRollout,
    stable: Plugin,
    candidates: ReadonlyMap<RolloutMode, Plugin>,
    weights: RolloutWeights,
    meters: Meters,
  ) {
    this.stable = stable
    this.#candidates = candidates
    this.#cap = [...candidates.keys()].at(-1)
    this.#rollout = rollout
    this.#looksInside = looksInside(rollout)
    this.#weights = weights
    this.#meters = meters
    this.#always = new Set(rollout.always)
    this.#never = new Set(rollout.never)
    if (rollout.matches === undefined) return
    this.#audience = new PathTable()
    // only whether one holds is asked for
    for (const match of rollout.matches) this.#audience.add({ match } as RouteCandidate)
  }

  get key(): SnapshotRollout['key'] {
    return this.#rollout.key
  }

  /** The candidate that takes the stable version's place; undefined where none ever does. */
  get enforced(): Plugin | undefined {
    return this.#candidates.get('enforce')
  }

  /** @returns undefined for a request that is none of the audience's, or while nothing was started */
  sideOf(request: RoutedRequest, io: Exchange): Side | undefined {
    const isValid = io.startedAt < this.#validUntil && this.#weights.changes === this.#changes
    if (!isValid) this.#workOut(io)
    const previewed = this.#previewed(io)
    if (this.#run === 0 && previewed === undefined) return undefined
    if (this.#audience !== undefined) {
      const [plain = '/'] = request.path.split('?', 1)
      if (this.#audience.match(plain, request) === undefined) return undefined
    }
    if (previewed !== undefined) {
      this.#previewedAt = io.startedAt
      return this.#cap === undefined ? 'stable' : previewed
    }
    if (this.#everybody !== undefined) return this.#everybody
    const key = this.#keyOf(request)
    if (key !== undefined && this.#never.has(key)) return 'stable'
    // with a weight of 0 it is over, or has not begun
    if (key !== undefined && this.#weight > 0 && this.#always.has(key)) return 'candidate'
    return sideOf(this.#salt, key, this.#bound)
  }

  /** In which mode a request has its candidate, if it has: who previews one sees all that it may do here. */
  modeFor(io: Exchange): RolloutMode {
    const previewed = this.#previewed(io) === undefined ? undefined : this.#cap
    return previewed ?? this.#mode
  }

  /** Where the answers that requests got are counted, by side; made by the first of them. */
  meter(side: Side): SideMeter {
    return (this.#sides[side] ??= this.#meters.side(this.#labels(side)))
  }

  /** Hears what a side's plugin does in the requests it gets; undefined where nobody asks. */
  watch(side: Side): Watch | undefined {
    const plugin = side === 'stable' ? this.stable : this.enforced
    if (!this.#looksInside || plugin === undefined) return undefined
    return (this.#watches[side] ??= {
      plugin,
      observer: this.#meters.streams(this.#labels(side), this.#asked),
    })
  }

  #labels(side: Side): Record<'rollout' | 'run' | 'mode' | 'side', string> {
    return { rollout: this.#rollout.id, run: `${this.#run}`, mode: 'enforce', side }
  }

  /** Metrics of the plugin's own by which its versions are compared. */
  get #asked(): string[] {
    return this.#rollout.analysis?.metrics.flatMap(({ metric }) => metric ?? []) ?? []
  }

  /**
   * The candidate of this run, compared with the stable version.
   * @param mode - in which it takes no part
   * @param isCounted - for the analysis
   */
  shadow(mode: 'shadow' | 'log-only', isCounted: boolean): Shadow {
    const name = `${mode} ${isCounted}`
    const known = this.#shadows.get(name)
    if (known !== undefined) return known
    const { stable } = this
    const candidate = this.#candidates.get(mode) ?? stable
    const labels = { rollout: this.#rollout.id, run: `${this.#run}` }
    const observer = new ShadowMeter(this.#meters, labels, candidate, mode, isCounted, this.#asked)
    const shadow = { stable, candidate, observer }
    this.#shadows.set(name, shadow)
    return shadow
  }

  /** Which side a preview token gives; undefined without one, and where its plugin's candidates are off. */
  #previewed({ visitor }: Exchange): Side | undefined {
    return this.#isKilled ? undefined : visitor?.sideOf(this.#rollout.id)
  }

  #keyOf(request: RoutedRequest): string | undefined {
    const { key } = this
    switch (key.type) {
      case 'clientIp':
        return clientIp(request.request)
      case 'issued': {
        const { visitor } = request.io
        // when it is over nobody needs a new one; a promotion takes the candidate from nobody who has it
        return this.#isOver ? visitor?.knownKeyIn(key.name) : visitor?.keyIn(key.name)
      }
      default:
        return stickyKeyOf(key, request)
    }
  }

  #workOut(io: Exchange): void {
    const now = io.startedAt
    const state = this.#weights.stateOf(this.#rollout)
    // nodes turn together: at the time of a move, not at the next look
    const next = state?.moves.find(({ effectiveAt }) => effectiveAt > now)
    this.#validUntil = Math.min(now + WORKED_OUT_MS, next?.effectiveAt ?? Infinity)
    this.#changes = this.#weights.changes
    const run = state?.run ?? 0
    this.#isOver = state?.phase === 'rolled-back' || state?.phase === 'promoted'
    this.#isKilled = this.#weights.isKilled(this.#rollout)
    if (run !== this.#run) {
      this.#run = run
      this.#sides = {}
      this.#watches = {}
      this.#shadows.clear()
      this.#salt = saltOf(`${this.#rollout.id}/${run}`)
    }
    const cap = this.#cap
    const share = cap && state && this.#weights.shareOf(this.#rollout, state, cap, now)
    const { mode, weight } = share ?? { mode: 'enforce', weight: 0 }
    this.#mode = mode
    // a move in a mode that no step has here lets nobody have the candidate
    this.#weight = this.#candidates.has(mode) ? weight : 0
    this.#bound = boundOf(this.#weight)
    // a key that is given out is given before it decides
    const isAsked = this.key.type === 'issued' && !this.#isOver
    const isAll = this.#weight === 100 && this.#never.size === 0
    const everybody = this.#weight === 0 ? 'stable' : isAll ? 'candidate' : undefined
    this.#everybody = isAsked ? undefined : everybody
    if (now - this.#previewedAt > PREVIEWED_MS) this.#letGo(io)
  }

  /** What is not asked for any more gives its vm back, once its last stream has ended. */
  #letGo(io: Exchange): void {
    for (const [mode, candidate] of this.#candidates) {
      const isOff = mode !== this.#mode || this.#weight === 0
      if (isOff && candidate.state === 'running') runIn(io, () => candidate.sleep())
    }
  }
}
