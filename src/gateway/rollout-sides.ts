/**
 * Which version of each plugin a request runs through, where a snapshot has rollouts: decided once for
 * each request, so that it sees one side in every phase. Weights are worked out when they change, and once
 * a second.
 */
import { candidateName } from '../config/candidate-plugins.ts'
import { hasLabels } from '../config/has-labels.ts'
import { modesOn } from '../config/rollout-modes.ts'
import type { PluginId, Snapshot } from '../config/snapshot.ts'
import type { Plugin } from '../proxy-wasm/index.ts'
import type { Exchange } from './exchange.ts'
import type { Meters } from './meters.ts'
import type { RolloutWeights } from './rollout-weights.ts'
import type { RoutedRequest } from './routed-request.ts'
import { RunningRollout } from './running-rollout.ts'

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
   * @param labels - of the node
   * @returns undefined where no plugin has a rollout: then nothing is to be decided
   */
  static of(
    { rollouts = [] }: Snapshot,
    plugins: ReadonlyMap<PluginId, Plugin>,
    labels: Readonly<Record<string, string>>,
    weights: RolloutWeights,
    meters: Meters,
  ): RolloutSides | undefined {
    const running = rollouts.flatMap((rollout) => {
      const stable = plugins.get(rollout.plugin)
      // who has no candidate here is of the audience all the same, and is compared with
      if (stable === undefined || !hasLabels(rollout.selector, labels)) return []
      const candidates = modesOn(rollout, labels).flatMap((mode) => {
        const candidate = plugins.get(candidateName(rollout, mode))
        return candidate === undefined ? [] : [[mode, candidate] as const]
      })
      return [new RunningRollout(rollout, stable, new Map(candidates), weights, meters)]
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
    // who previews a side says nothing of how a rollout goes
    const isCounted = io.visitor?.isPreview !== true
    let candidates = 0
    for (const [index, rollout] of rollouts.entries()) {
      const side = rollout.sideOf(request, io)
      if (side === undefined) continue
      const mode = rollout.modeFor(io)
      const served = mode === 'enforce' ? side : 'stable'
      if (isCounted) {
        ;(io.sides ??= []).push(rollout.meter(served))
        const watch = rollout.watch(served)
        if (watch !== undefined) (request.watches ??= []).push(watch)
      }
      if (served === 'candidate') candidates += 2 ** index
      else if (side === 'candidate' && mode !== 'enforce') {
        ;(request.shadows ??= []).push(rollout.shadow(mode, isCounted))
      }
    }
    if (candidates === 0) return chain
    let chosen = chains.get(candidates)
    if (chosen === undefined) {
      const swapped = new Map(
        rollouts.flatMap(({ stable, enforced }, index) =>
          Math.floor(candidates / 2 ** index) % 2 === 1 && enforced !== undefined
            ? [[stable, enforced] as const]
            : [],
        ),
      )
      chosen = chain.map((plugin) => swapped.get(plugin) ?? plugin)
      chains.set(candidates, chosen)
    }
    return chosen
  }
}
