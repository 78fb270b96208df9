/**
 * A rollout before it begins: each request runs through the stable version and the candidate, in gateways
 * of their own that see the same time, random numbers, answers and callouts. What is left to differ is
 * what the candidate would change.
 */
import type { Snapshot } from '../config/snapshot.ts'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'
import type { ModuleSource } from '../gateway/modules.ts'
import type { GatewayNode } from '../gateway/node.ts'
import type { Side } from '../rollout/pick.ts'
import {
  type ShadowDifference,
  shadowDifferences,
  wouldAnswer,
} from '../rollout/shadow-comparison.ts'
import { Audience, type Sticky } from './audience.ts'
import type { CalloutAnswer, RecordedExchange } from './traffic/exchange.ts'
import { requestOf } from './traffic/request-of.ts'
import { sidesOf } from './worlds/sides.ts'
import { type NotStarted, type Ran, World } from './worlds/world.ts'

export interface SimulationOptions {
  readonly snapshot: Snapshot
  /** One of the snapshot's. */
  readonly rollout: SnapshotRollout
  readonly modules: ModuleSource
  readonly node: GatewayNode
  readonly callouts: readonly CalloutAnswer[]
  readonly seed: number
  /** Milliseconds since the Unix epoch. */
  readonly epoch: number
  /** Told before a side runs, and undefined when none does: guests cannot be interrupted. */
  readonly onSide: (side: Side | undefined) => void
}

/** One version's part in one request. */
export interface SidePart extends Omit<Ran, 'verdict'> {
  readonly outcome: Ran['verdict']['outcome']
  /** What the client got. */
  readonly status: number
  /** The status of what a plugin answered itself. */
  readonly replied: number | undefined
}

/**
 * `compared`: both versions ran. `outside`: no route has the plugin for it, or it is none of the audience's.
 * `unplayable`: Fetch has no such request.
 */
export type Played =
  | {
      readonly kind: 'compared'
      readonly route: string | undefined
      readonly sticky: Sticky
      readonly differences: readonly ShadowDifference[]
      readonly stable: SidePart
      readonly candidate: SidePart
    }
  | { readonly kind: 'outside'; readonly why: 'no-route' | 'no-plugin' | 'audience' }
  | { readonly kind: 'unplayable'; readonly why: string }

/** Between two requests of which nobody knows when they came. */
const STEP_MS = 10

export class Simulation {
  readonly #worlds: Readonly<Record<Side, World>>
  readonly #audience: Audience
  readonly #onSide: SimulationOptions['onSide']
  #turn = 0

  private constructor(worlds: Readonly<Record<Side, World>>, options: SimulationOptions) {
    this.#worlds = worlds
    this.#audience = new Audience(options.rollout)
    this.#onSide = options.onSide
  }

  /** Starts both versions. @returns why one does not start, where that is so */
  static async open(
    options: SimulationOptions,
  ): Promise<Simulation | (NotStarted & { readonly side: Side })> {
    const { snapshot, rollout, onSide } = options
    const snapshots = sidesOf(snapshot, rollout)
    const open = async (side: Side): Promise<World | NotStarted> => {
      onSide(side)
      return World.open({ ...options, snapshot: snapshots[side], plugin: rollout.plugin })
    }
    const stable = await open('stable')
    if (!(stable instanceof World)) return { ...stable, side: 'stable' }
    const candidate = await open('candidate')
    onSide(undefined)
    if (!(candidate instanceof World)) return { ...candidate, side: 'candidate' }
    return new Simulation({ stable, candidate }, options)
  }

  /** Runs one request through both. Never rejects for what a plugin does. */
  async play(exchange: RecordedExchange): Promise<Played> {
    const { stable: world } = this.#worlds
    const made = requestOf(exchange)
    if (typeof made === 'string') return { kind: 'unplayable', why: made }
    const routed = world.route(made)
    if (!routed.plugins.includes(world.plugin)) {
      return { kind: 'outside', why: routed.route === undefined ? 'no-route' : 'no-plugin' }
    }
    const sticky = this.#audience.stickyOf(routed)
    if (sticky === undefined) return { kind: 'outside', why: 'audience' }
    this.#pass(exchange.at)
    const ran = await this.#runBoth(exchange)
    return {
      kind: 'compared',
      route: routed.route && `${routed.route.namespace}/${routed.route.name}`,
      sticky,
      differences: shadowDifferences(ran.stable.verdict, ran.candidate.verdict),
      stable: partOf(ran.stable),
      candidate: partOf(ran.candidate),
    }
  }

  /** Ends both gateways. */
  close(): void {
    for (const world of Object.values(this.#worlds)) world.close()
  }

  /** A plugin that has failed is not started again at once: so long nobody asks here. */
  #pass(at: number | undefined): void {
    const worlds = Object.values(this.#worlds)
    const ms = Math.max(STEP_MS, ...worlds.map(({ backOffMs }) => backOffMs + 1))
    for (const world of worlds) world.pass(ms, at)
  }

  async #runBoth(exchange: RecordedExchange): Promise<Readonly<Record<Side, Ran>>> {
    const ran: Partial<Record<Side, Ran>> = {}
    // whoever goes first warms the machine's caches for the other
    const order: readonly Side[] =
      this.#turn++ % 2 === 0 ? ['stable', 'candidate'] : ['candidate', 'stable']
    for (const side of order) {
      this.#onSide(side)
      ran[side] = await this.#worlds[side].run(requestOf(exchange) as Request, exchange)
    }
    this.#onSide(undefined)
    return ran as Record<Side, Ran>
  }
}

function partOf({ verdict, ...rest }: Ran): SidePart {
  const { outcome, reply } = verdict
  const status = wouldAnswer(verdict) ?? 0
  return { ...rest, outcome, status, replied: outcome === 'answered' ? reply?.status : undefined }
}
