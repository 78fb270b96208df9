/**
 * What this isolate knows of running rollouts: the key `rollouts`, read in the background while a snapshot
 * with rollouts runs, and before such a snapshot takes over. What cannot be read or is older than what is
 * known changes nothing.
 */
import type { RequestScope } from '../config/activation.ts'
import type { Snapshot } from '../config/snapshot.ts'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'
import type { ConfigSource } from '../config/source.ts'
import { candidateDigest } from '../rollout/candidate-digest.ts'
import { parseRollouts } from '../rollout/parse-document.ts'
import type { PublishedRollout, RolloutsDocument } from '../rollout/record.ts'
import { weightAt } from '../rollout/weight.ts'
import { hasLabels } from './node.ts'

const KEY = 'rollouts'
/** How long a snapshot waits for the first look: without it every key is stable for a while. */
const FIRST_MS = 250

export class RolloutWeights {
  readonly #source: ConfigSource
  readonly #refreshMs: number
  readonly #labels: Readonly<Record<string, string>>
  readonly #digests = new WeakMap<SnapshotRollout, string>()
  #document: RolloutsDocument | undefined
  #readAt = 0

  /**
   * @param refreshMs - how old what is known may be before it is read again
   * @param labels - of the node
   */
  constructor(source: ConfigSource, refreshMs: number, labels: Readonly<Record<string, string>>) {
    this.#source = source
    this.#refreshMs = refreshMs
    this.#labels = labels
  }

  /** Makes ready for a snapshot that has rollouts. Never rejects. */
  async follow({ rollouts = [] }: Snapshot): Promise<void> {
    for (const one of rollouts)
      this.#digests.set(one, await candidateDigest(one.candidate, one.mode))
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, FIRST_MS)
    await Promise.race([this.#read(Date.now()), late])
    clearTimeout(timer)
  }

  /** On the path of requests that have a rollout: a comparison, unless it is time to read. */
  whenDue(scope: RequestScope, now: number): void {
    if (now - this.#readAt >= this.#refreshMs) scope.waitUntil(this.#read(now))
  }

  /** What is known of a rollout; undefined when it was never started, or another candidate was. */
  stateOf(rollout: SnapshotRollout): PublishedRollout | undefined {
    const known = this.#document?.rollouts[rollout.id]
    return known?.candidate === this.#digests.get(rollout) ? known : undefined
  }

  /** Per cent that count on this node now. */
  weightOf(rollout: SnapshotRollout, { moves }: PublishedRollout, now: number): number {
    const killed = this.#document?.kills.some(
      ({ plugin, selector }) => plugin === rollout.plugin && hasLabels(selector, this.#labels),
    )
    const { timezone = 'UTC' } = this.#labels
    return killed ? 0 : weightAt(moves, rollout.blackout, timezone, now)
  }

  async #read(now: number): Promise<void> {
    this.#readAt = now
    const found = parseRollouts(await this.#source.get(KEY).catch(() => null))
    if (found !== undefined && found.version >= (this.#document?.version ?? 0)) {
      this.#document = found
    }
  }
}
