/**
 * What this isolate knows of running rollouts: the key `rollouts`, and what replies to its reports say. The
 * key is read in the background while a snapshot with rollouts runs, and before such a snapshot takes over;
 * replies come whether or not the key can be read, or is there. Whatever is older than what is known, or is
 * no such document, changes nothing.
 *
 * Where another gateway leads, the hub, numbers alone do not say what is newer: the node's own store may have
 * a document of a controller of its own, from before. What a reply says replaces that, and from then on the
 * store counts only for what the same controller has written.
 */
import type { RequestScope } from '../config/activation.ts'
import type { ConfigClock } from '../config/clock.ts'
import { hasLabels } from '../config/has-labels.ts'
import { ReadSchedule } from '../config/read-schedule.ts'
import type { Snapshot } from '../config/snapshot.ts'
import type { RolloutMode, SnapshotRollout } from '../config/snapshot-rollout.ts'
import type { ConfigSource } from '../config/source.ts'
import { isOfPastRun } from '../observe/index.ts'
import { pluginVersion } from '../config/plugin-version.ts'
import { parseRollouts, rolloutsIn } from '../rollout/parse-document.ts'
import type { PublishedRollout, RolloutsDocument } from '../rollout/record.ts'
import { type Share, shareAt } from '../rollout/share.ts'

const KEY = 'rollouts'
/** How long a snapshot waits for the first look: without it every key is stable for a while. */
const FIRST_MS = 250

export interface RolloutWeightsOptions {
  readonly source: ConfigSource
  readonly clock: ConfigClock
  /** How old what is known may be before it is read again in the background. */
  readonly refreshMs: number
  /** How old it may be before a request waits for that, for 250 ms at most. */
  readonly maxStaleMs: number
  /** Of the node. */
  readonly labels: Readonly<Record<string, string>>
  /** Whether replies are those of another gateway. */
  readonly hasHub?: boolean
  /** Reports, so that the reply tells. @returns whether one came; never rejects */
  readonly ask: (scope: RequestScope) => Promise<boolean>
}

export class RolloutWeights {
  readonly #options: RolloutWeightsOptions
  readonly #labels: Readonly<Record<string, string>>
  readonly #schedule: ReadSchedule
  readonly #digests = new WeakMap<SnapshotRollout, string>()
  #document: RolloutsDocument | undefined
  /** Whether a reply has said which controller leads. */
  #isLed = false
  /** How often what is known has become another document. */
  changes = 0

  constructor(options: RolloutWeightsOptions) {
    const { clock, refreshMs, maxStaleMs } = options
    this.#options = options
    this.#labels = options.labels
    this.#schedule = new ReadSchedule({
      clock,
      refreshMs,
      maxStaleMs,
      runs: () => true,
      read: (scope) => this.#look(scope),
    })
  }

  /** Which document is known; 0 for none. */
  get version(): number {
    return this.#document?.version ?? 0
  }

  /** Whether what has these labels was counted in a run that is over, of a rollout of any snapshot. */
  readonly isPast = (labels: string): boolean =>
    this.#document !== undefined && isOfPastRun(labels, this.#document.rollouts)

  /** Makes ready for a snapshot that has rollouts. Never rejects. */
  async follow({ rollouts = [] }: Snapshot, scope: RequestScope): Promise<void> {
    for (const one of rollouts) this.#digests.set(one, await pluginVersion(one.candidate))
    await Promise.race([this.#schedule.now(scope), this.#options.clock.sleep(FIRST_MS)])
  }

  /**
   * On the path of requests while a snapshot with rollouts runs: a comparison, unless it is time to look.
   * @returns what the request has to wait for: an isolate that nobody asked for long looks first, lest it
   *   serves a candidate that was taken back meanwhile; undefined when it need not wait
   */
  due(scope: RequestScope): Promise<void> | undefined {
    return this.#schedule.due(scope)
  }

  /** Takes in what somebody says the rollouts are. */
  take(value: unknown): void {
    const found = rolloutsIn(value)
    if (found === undefined) return
    const isSame = this.#isLed
      ? found.publisher === this.#document?.publisher
      : this.#isNamedSame(found)
    if (this.#options.hasHub === true && !isSame) this.#know(found)
    else this.#takeNewer(found)
    this.#isLed = true
  }

  /** What reports say of it: what only the own store has said, a hub need not have heard of. */
  get known(): { readonly rolloutsVersion: number; readonly rolloutsPublisher?: string } {
    const { publisher } = this.#document ?? {}
    const named = publisher === undefined ? {} : { rolloutsPublisher: publisher }
    return this.#isOwn ? { rolloutsVersion: 0 } : { rolloutsVersion: this.version, ...named }
  }

  get #isOwn(): boolean {
    return this.#options.hasHub === true && !this.#isLed
  }

  /** By the same controller; who has no name may be anybody. */
  #isNamedSame({ publisher }: RolloutsDocument): boolean {
    return publisher !== undefined && publisher === this.#document?.publisher
  }

  #takeNewer(found: RolloutsDocument): void {
    if (found.version >= this.version) this.#know(found)
  }

  #know(found: RolloutsDocument): void {
    const { version, publisher } = this.#document ?? {}
    if (found.version !== version || found.publisher !== publisher) this.changes += 1
    this.#document = found
  }

  /** What is known of a rollout; undefined when it was never started, or another candidate was. */
  stateOf(rollout: SnapshotRollout): PublishedRollout | undefined {
    const known = this.#document?.rollouts[rollout.id]
    return known?.candidate === this.#digests.get(rollout) ? known : undefined
  }

  /**
   * What counts on this node now.
   * @param cap - the highest mode in which the candidate may run here
   */
  shareOf(
    rollout: SnapshotRollout,
    { moves }: PublishedRollout,
    cap: RolloutMode,
    now: number,
  ): Share {
    if (this.isKilled(rollout)) return { mode: cap, weight: 0 }
    return shareAt(moves, { labels: this.#labels, cap, blackout: rollout.blackout }, now)
  }

  /** Whether its candidate is to run on this node for nobody. */
  isKilled(rollout: SnapshotRollout): boolean {
    const kills = this.#document?.kills ?? []
    return kills.some(
      ({ plugin, selector }) => plugin === rollout.plugin && hasLabels(selector, this.#labels),
    )
  }

  /** @returns whether somebody has told; never rejects */
  async #look(scope: RequestScope): Promise<boolean> {
    const { clock, maxStaleMs, ask } = this.#options
    const { checkedAt } = this.#schedule
    const first = checkedAt === 0
    // KV may show an old value still; whoever takes reports in knows better
    const asked = !first && clock.now() - checkedAt > maxStaleMs ? ask(scope) : undefined
    const read = await this.#read()
    // a store may have no copy of the key at all
    const toAsk = first && (this.#document === undefined || this.#isOwn)
    const told = await (asked ?? (toAsk && ask(scope)))
    return read || told
  }

  async #read(): Promise<boolean> {
    try {
      const found = parseRollouts(await this.#options.source.get(KEY))
      const counts = !this.#options.hasHub || !this.#isLed || (found && this.#isNamedSame(found))
      if (found !== undefined && counts) this.#takeNewer(found)
      return true
    } catch {
      return false
    }
  }
}
