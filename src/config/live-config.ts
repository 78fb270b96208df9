/**
 * What this isolate runs, kept up to date. One per isolate; the request path asks it with `current`.
 * `read-schedule.ts` says when the store is read and who waits, `config-loader.ts` what comes of it. What
 * was refused is not forgotten: see `status`.
 */
import type { Activate, RequestScope } from './activation.ts'
import type { ActiveConfig, Baseline, Origin } from './active-config.ts'
import type { ConfigClock } from './clock.ts'
import { ConfigLoader } from './config-loader.ts'
import type { PointerTrust } from './pointer-gate.ts'
import { PointerGate } from './pointer-gate.ts'
import { ReadSchedule } from './read-schedule.ts'
import { Refusals } from './refusals.ts'
import type { Refusal } from './refusals.ts'
import type { CopyStore } from './snapshot-copy.ts'
import { SnapshotRunner } from './snapshot-runner.ts'
import type { ConfigSource } from './source.ts'

export interface LiveConfigStatus {
  readonly revision: number
  readonly snapshot: string | null
  readonly issuedAt: string | null
  readonly origin: Origin | 'none'
  /** When the store last said what is active; null when it never did. */
  readonly checkedAt: string | null
  /** A revision the pointer names whose snapshot the store does not show yet. */
  readonly pending: { readonly revision: number; readonly snapshot: string } | null
  readonly refusals: readonly Refusal[]
}

export interface LiveConfigOptions<Running> {
  readonly source: ConfigSource
  readonly activate: Activate<Running>
  readonly clock: ConfigClock
  /** Seconds; 30 when absent. */
  readonly refreshSeconds?: number | undefined
  /** Seconds; twice `refreshSeconds` when absent. */
  readonly maxStaleSeconds?: number | undefined
  /** Hears of everything that is refused. */
  readonly onRefusal?: (refusal: Refusal) => void
  /** Whose signatures count; absent: pointers need none. */
  readonly trust?: PointerTrust | undefined
  /** Where a copy of what was activated last is kept, for isolates that start without a store. */
  readonly copy?: CopyStore | undefined
  /** Runs when a cold isolate finds nothing else that it can run. */
  readonly baseline?: Baseline | undefined
}

export class LiveConfig<Running> {
  readonly #runner: SnapshotRunner<Running>
  readonly #loader: ConfigLoader<Running>
  readonly #schedule: ReadSchedule
  readonly #refusals: Refusals

  constructor(options: LiveConfigOptions<Running>) {
    const { source, activate, clock, trust, copy, baseline, refreshSeconds = 30 } = options
    const { maxStaleSeconds = refreshSeconds * 2 } = options
    const refusals = new Refusals(clock, options.onRefusal)
    const gate = new PointerGate(trust, clock)
    const runner = new SnapshotRunner(activate, clock, refusals)
    const loader = new ConfigLoader({ source, runner, clock, gate, refusals, copy, baseline })
    this.#refusals = refusals
    this.#runner = runner
    this.#loader = loader
    this.#schedule = new ReadSchedule({
      clock,
      refreshMs: refreshSeconds * 1000,
      maxStaleMs: maxStaleSeconds * 1000,
      runs: () => runner.config !== undefined,
      read: (scope) => loader.look(scope),
    })
  }

  /**
   * The configuration this request runs with, at once when what runs is fresh enough.
   * @param scope the request; a read that this request begins is held by its `waitUntil`
   * @returns undefined (through a promise) when there is nothing to run: answer 503 `config.none`
   */
  current(scope: RequestScope): ActiveConfig<Running> | Promise<ActiveConfig<Running> | undefined> {
    const runner = this.#runner
    const wait = this.#schedule.due(scope)
    return wait === undefined && runner.config !== undefined
      ? runner.config
      : Promise.resolve(wait).then(() => runner.config)
  }

  /**
   * Reads the store now, whatever the age of what runs, and answers when that is done.
   * @param scope the request that asked
   */
  async refresh(scope: RequestScope): Promise<LiveConfigStatus> {
    await this.#schedule.now(scope)
    return this.status()
  }

  status(): LiveConfigStatus {
    const { config } = this.#runner
    const { pending } = this.#loader
    const { checkedAt } = this.#schedule
    return {
      revision: config?.revision ?? 0,
      snapshot: config?.hash ?? null,
      issuedAt: config?.issuedAt ?? null,
      origin: config?.origin ?? 'none',
      checkedAt: checkedAt === 0 ? null : new Date(checkedAt).toISOString(),
      pending:
        pending === undefined ? null : { revision: pending.revision, snapshot: pending.snapshot },
      refusals: this.#refusals.list(),
    }
  }
}
