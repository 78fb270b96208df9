/**
 * What this isolate runs, and the one way in which that changes: a snapshot's bytes are checked, brought up
 * beside what runs, and take over. One at a time; the higher revision stays.
 */
import type { Activate, PluginActivation, RequestScope } from './activation.ts'
import type { ActiveConfig } from './active-config.ts'
import type { ConfigClock } from './clock.ts'
import { readSnapshot } from './read-snapshot.ts'
import type { Refusals } from './refusals.ts'

/** After this long an activation counts as lost with the request that owned it. */
const LOST_MS = 10_000
/** How often one that waits for another looks. */
const POLL_MS = 5

/** A snapshot's place: what is known of it beside its bytes. */
export type About = Pick<ActiveConfig<unknown>, 'revision' | 'hash' | 'issuedAt' | 'origin'>

export class SnapshotRunner<Running> {
  readonly #activate: Activate<Running>
  readonly #clock: ConfigClock
  readonly #refusals: Refusals
  #config: ActiveConfig<Running> | undefined
  /** Since when a snapshot is brought up; the object's identity is its owner's token. */
  #busy: { readonly since: number } | undefined

  constructor(activate: Activate<Running>, clock: ConfigClock, refusals: Refusals) {
    this.#activate = activate
    this.#clock = clock
    this.#refusals = refusals
  }

  /** What runs. */
  get config(): ActiveConfig<Running> | undefined {
    return this.#config
  }

  /** What runs is the same under another number, or from another place. */
  rename(config: ActiveConfig<Running>, about: Partial<About>): void {
    this.#config = { ...config, ...about }
  }

  /**
   * @param text as it was stored; null when it was not
   * @param refusedAs the revision under which what is wrong is kept
   * @returns whether the snapshot runs, or one of a higher revision
   */
  async run(
    text: string | null,
    about: About,
    scope: RequestScope,
    refusedAs: number = about.revision,
  ): Promise<boolean> {
    const read = await readSnapshot(text, about.hash)
    if (!('found' in read)) {
      this.#refusals.add({ code: read.code, message: read.message, revision: refusedAs })
      return false
    }
    await this.#idle()
    // a fallback may have come up meanwhile, and a request that was taken for lost may still be there
    const overtaken = (): boolean => (this.#config?.revision ?? 0) > about.revision
    if (overtaken()) return true
    if (this.#config?.hash === about.hash) {
      this.rename(this.#config, about)
      return true
    }
    const token = { since: this.#clock.now() }
    this.#busy = token
    try {
      const late = (one: PluginActivation): void => this.#notStarted(one, about)
      const { running, plugins } = await this.#activate(read.found, scope, late)
      if (overtaken()) return true
      this.#config = { ...about, snapshot: read.found, running }
      for (const one of plugins) this.#notStarted(one, about)
      return true
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const message = `snapshot ${about.hash} did not start: ${why}`
      this.#refusals.add({ code: 'config.activation_failed', message, revision: refusedAs })
      return false
    } finally {
      if (this.#busy === token) this.#busy = undefined
    }
  }

  /** By the clock: a promise of another request must not be awaited. */
  async #idle(): Promise<void> {
    while (this.#busy !== undefined && this.#clock.now() - this.#busy.since < LOST_MS) {
      await this.#clock.sleep(POLL_MS)
    }
  }

  #notStarted({ plugin, outcome, code, reason }: PluginActivation, about: About): void {
    if (outcome !== 'last-good' && outcome !== 'failed') return
    // the same snapshot may have another number by now
    const { revision } = this.#config?.hash === about.hash ? this.#config : about
    const what = outcome === 'failed' ? 'nothing runs in its place' : 'its last good version runs'
    const message = `${plugin} did not start (${reason ?? 'no reason given'}); ${what}`
    this.#refusals.add({ code: code ?? 'plugin.not_activated', message, revision, plugin })
  }
}
