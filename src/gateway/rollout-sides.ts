/**
 * Which version of each plugin a request runs through, where a snapshot has rollouts: decided once for
 * each request, so that it sees one side in every phase. Weights are worked out once a second.
 */
import { candidateName } from '../config/candidate-plugins.ts'
import { looksInside } from '../config/counted-plugins.ts'
import type { RouteCandidate } from '../config/route-order.ts'
import type { PluginId, Snapshot } from '../config/snapshot.ts'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'
import type { Plugin, Shadow, Watch } from '../proxy-wasm/index.ts'
import { boundOf, saltOf, type Side, sideOf } from '../rollout/pick.ts'
import { stickyKeyOf } from '../rollout/sticky-key.ts'
import type { Exchange } from './exchange.ts'
import type { Meters, SideMeter } from './meters.ts'
import { PathTable } from './path-table.ts'
import type { RolloutWeights } from './rollout-weights.ts'
import type { RoutedRequest } from './routed-request.ts'
import { ShadowMeter } from './shadow-meter.ts'
import { clientIp } from './stream-info.ts'

const WORKED_OUT_MS = 1_000

type Chain = readonly Plugin[]

export class RolloutSides {
  /** The cookies that have keys which the gateway gives out itself. */
  readonly issuedIn: readonly string[]
  readonly #rollouts: readonly RunningRollout[]
  /** What of a chain has a rollout, and what comes of it with which candidates in it. */
  readonly #places = new WeakMap<
    Chain,
    { readonly rollouts: readonly RunningRollout[]; readonly chains: Map<number, Chain> }
  >()

  private constructor(rollouts: readonly RunningRollout[]) {
    this.#rollouts = rollouts
    const names = rollouts.map(({ key }) => (key.type === 'issued' ? key.name : undefined))
    this.issuedIn = [...new Set(names)].filter((name) => name !== undefined)
  }

  /**
   * @param plugins - of this isolate, candidates among them
   * @returns undefined where no plugin has a candidate: then nothing is to be decided
   */
  static of(
    { rollouts = [] }: Snapshot,
    plugins: ReadonlyMap<PluginId, Plugin>,
    weights: RolloutWeights,
    meters: Meters,
  ): RolloutSides | undefined {
    const running = rollouts.flatMap((rollout) => {
      const stable = plugins.get(rollout.plugin)
      const candidate = plugins.get(candidateName(rollout))
      if (stable === undefined || candidate === undefined) return []
      return [new RunningRollout(rollout, stable, candidate, weights, meters)]
    })
    return running.length === 0 ? undefined : new RolloutSides(running)
  }

  /** The plugins of a chain with the candidates that this request gets in their places. */
  choose(chain: Chain, request: RoutedRequest, io: Exchange): Chain {
    let place = this.#places.get(chain)
    if (place === undefined) {
      const rollouts = this.#rollouts.filter(({ stable }) => chain.includes(stable))
      this.#places.set(chain, (place = { rollouts, chains: new Map() }))
    }
    const { rollouts, chains } = place
    if (rollouts.length === 0) return chain
    const now = io.startedAt
    // who tries a side says nothing of how a rollout goes
    const isCounted = io.visitor?.isPreview !== true
    let candidates = 0
    for (const [index, rollout] of rollouts.entries()) {
      const side = rollout.sideOf(request, now)
      if (side === undefined) continue
      if (rollout.isShadow) {
        if (side === 'candidate') (request.shadows ??= []).push(rollout.shadow(isCounted))
        continue
      }
      if (isCounted) {
        ;(io.sides ??= []).push(rollout.meter(side))
        if (rollout.looksInside) (request.watches ??= []).push(rollout.watch(side))
      }
      if (side === 'candidate') candidates += 2 ** index
    }
    if (candidates === 0) return chain
    let chosen = chains.get(candidates)
    if (chosen === undefined) {
      const swapped = new Map(
        rollouts.flatMap(({ stable, candidate }, index) =>
          Math.floor(candidates / 2 ** index) % 2 === 1 ? [[stable, candidate] as const] : [],
        ),
      )
      chosen = chain.map((plugin) => swapped.get(plugin) ?? plugin)
      chains.set(candidates, chosen)
    }
    return chosen
  }
}

class RunningRollout {
  readonly stable: Plugin
  readonly candidate: Plugin
  readonly #rollout: SnapshotRollout
  readonly #weights: RolloutWeights
  readonly #meters: Meters
  /** Undefined: every request. */
  readonly #audience: PathTable | undefined
  readonly #always: ReadonlySet<string>
  readonly #never: ReadonlySet<string>
  #workedOutAt = -Infinity
  /** 0: none has been started. */
  #run = 0
  #isOver = false
  #isKilled = false
  #salt = 0
  #weight = 0
  #bound = 0
  #sides: Partial<Record<Side, SideMeter>> = {}
  #watches: Partial<Record<Side, Watch>> = {}
  /** Whether it is compared by more than by how requests are answered. */
  readonly looksInside: boolean
  #shadow: Shadow | undefined
  #previewShadow: Shadow | undefined

  constructor(
    rollout: SnapshotRollout,
    stable: Plugin,
    candidate: Plugin,
    weights: RolloutWeights,
    meters: Meters,
  ) {
    this.stable = stable
    this.candidate = candidate
    this.#rollout = rollout
    this.looksInside = looksInside(rollout)
    this.#weights = weights
    this.#meters = meters
    this.#always = new Set(rollout.always)
    this.#never = new Set(rollout.never)
    if (rollout.matches === undefined) return
    this.#audience = new PathTable()
    // only whether one holds is asked for
    for (const match of rollout.matches) this.#audience.add({ match } as RouteCandidate)
  }

  /** @returns undefined for a request that is none of the audience's, or while nothing was started */
  sideOf(request: RoutedRequest, now: number): Side | undefined {
    if (now - this.#workedOutAt >= WORKED_OUT_MS) this.#workOut(now)
    const { visitor } = request.io
    const previewed = this.#isKilled ? undefined : visitor?.sideOf(this.#rollout.id)
    if (this.#run === 0 && previewed === undefined) return undefined
    const { path } = request
    const [plain = path] = path.split('?', 1)
    if (this.#audience !== undefined && this.#audience.match(plain, request) === undefined) {
      return undefined
    }
    if (previewed !== undefined) return previewed
    const key = this.#keyOf(request)
    if (key !== undefined && this.#never.has(key)) return 'stable'
    // with a weight of 0 it is over, or has not begun
    if (key !== undefined && this.#weight > 0 && this.#always.has(key)) return 'candidate'
    return sideOf(this.#salt, key, this.#bound)
  }

  get key(): SnapshotRollout['key'] {
    return this.#rollout.key
  }

  #keyOf(request: RoutedRequest): string | undefined {
    const { key } = this
    switch (key.type) {
      case 'clientIp':
        return clientIp(request.request)
      case 'issued':
        // when it is over nobody needs one any more
        return this.#isOver ? undefined : request.io.visitor?.keyIn(key.name)
      default:
        return stickyKeyOf(key, request)
    }
  }

  /** Where a side's answers are counted; made by the first of them. */
  meter(side: Side): SideMeter {
    return (this.#sides[side] ??= this.#meters.side(this.#labels(side)))
  }

  /** Hears what a side's plugin does; made by the first of its requests. */
  watch(side: Side): Watch {
    return (this.#watches[side] ??= {
      plugin: this[side],
      observer: this.#meters.streams(this.#labels(side), askedOf(this.#rollout)),
    })
  }

  #labels(side: Side): Record<'rollout' | 'run' | 'mode' | 'side', string> {
    const { id: rollout, mode } = this.#rollout
    return { rollout, run: `${this.#run}`, mode, side }
  }

  /** Whether requests keep the stable version, and the candidate runs behind them. */
  get isShadow(): boolean {
    return this.#rollout.mode === 'shadow'
  }

  /** The candidate of this run, behind the stable version. @param isCounted - for the analysis */
  shadow(isCounted: boolean): Shadow {
    return isCounted
      ? (this.#shadow ??= this.#makeShadow(true))
      : (this.#previewShadow ??= this.#makeShadow(false))
  }

  #makeShadow(isCounted: boolean): Shadow {
    const { stable, candidate } = this
    const labels = { rollout: this.#rollout.id, run: `${this.#run}` }
    const asked = askedOf(this.#rollout)
    const observer = new ShadowMeter(this.#meters, labels, candidate, 'shadow', isCounted, asked)
    return { stable, candidate, observer }
  }

  #workOut(now: number): void {
    this.#workedOutAt = now
    const state = this.#weights.stateOf(this.#rollout)
    const run = state?.run ?? 0
    this.#isOver = state?.phase === 'rolled-back' || state?.phase === 'promoted'
    this.#isKilled = this.#weights.isKilled(this.#rollout)
    if (run !== this.#run) {
      this.#run = run
      this.#sides = {}
      this.#watches = {}
      this.#shadow = undefined
      this.#salt = saltOf(`${this.#rollout.id}/${run}`)
    }
    this.#weight = state === undefined ? 0 : this.#weights.weightOf(this.#rollout, state, now)
    this.#bound = boundOf(this.#weight)
  }
}

/** Metrics of the plugin's own by which its versions are compared. */
function askedOf({ analysis }: SnapshotRollout): string[] {
  return analysis?.metrics.flatMap(({ metric }) => metric ?? []) ?? []
}
