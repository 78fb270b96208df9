/**
 * One look at the store: what is due, whether it may be taken, and bringing it up. Whatever is wrong, what
 * runs goes on; with nothing running yet, the snapshot before, the copy kept nearby and the baseline are
 * tried in this order. What was refused is kept with its reason.
 */
import type { Activate, PluginActivation, RequestScope } from './activation.ts'
import type { ActiveConfig, Baseline } from './active-config.ts'
import type { ActivePointer } from './active-pointer.ts'
import { parseActivePointer } from './active-pointer.ts'
import type { ConfigClock } from './clock.ts'
import type { Admission, PointerGate } from './pointer-gate.ts'
import { readSnapshot } from './read-snapshot.ts'
import type { Refusals } from './refusals.ts'
import type { CopyStore } from './snapshot-copy.ts'
import { loadCopy, saveCopy } from './snapshot-copy.ts'
import type { ConfigSource } from './source.ts'
import { withDeadline } from './with-deadline.ts'

/** How long one read of the store may take before the store counts as down. */
const READ_DEADLINE_MS = 3_000
/** A read that fails sooner than that is repeated once, where requests wait for it. */
const QUICK_MS = 250
/** The copy is near, and a request waits. */
const COPY_DEADLINE_MS = 1_000
/** A pointer has some hundred characters. */
const MAX_POINTER = 10_000

export interface ConfigLoaderParts<Running> {
  readonly source: ConfigSource
  readonly activate: Activate<Running>
  readonly clock: ConfigClock
  readonly gate: PointerGate
  readonly refusals: Refusals
  readonly copy: CopyStore | undefined
  readonly baseline: Baseline | undefined
}

type About = Pick<ActiveConfig<unknown>, 'revision' | 'hash' | 'issuedAt' | 'origin'>

export class ConfigLoader<Running> {
  readonly #parts: ConfigLoaderParts<Running>
  #config: ActiveConfig<Running> | undefined
  #pending: ActivePointer | undefined

  constructor(parts: ConfigLoaderParts<Running>) {
    this.#parts = parts
  }

  /** What runs. */
  get config(): ActiveConfig<Running> | undefined {
    return this.#config
  }

  /** A pointer that may be taken and whose snapshot the store does not show yet. */
  get pending(): ActivePointer | undefined {
    return this.#pending
  }

  /** Looks once. @returns whether what should run is known and runs; never rejects */
  async look(scope: RequestScope): Promise<boolean> {
    let sound = false
    try {
      sound = await this.#active(scope)
    } catch (error) {
      this.#refuse('config.source_unavailable', describe(error), 0)
    }
    if (this.#config === undefined) await this.#fromCopy(scope)
    if (this.#config === undefined) await this.#fromBaseline(scope)
    return sound
  }

  async #active(scope: RequestScope): Promise<boolean> {
    const text = await this.#get('active')
    const running = this.#config
    if (text === null) {
      // A store that is still empty has nothing that could be refused; `origin` says that nothing runs.
      if (running) this.#refuse('config.pointer_missing', 'the store has no key `active`', 0)
      return false
    }
    const parsed =
      text.length > MAX_POINTER
        ? { wrong: `${text.length} characters are no pointer` }
        : parseActivePointer(text)
    if ('wrong' in parsed) {
      this.#refuse('config.pointer_invalid', `active: ${parsed.wrong}`, 0)
      return false
    }
    const { pointer } = parsed
    if (running !== undefined && pointer.revision <= running.revision) {
      return this.#notNewer(pointer, running)
    }
    return this.#check(pointer, scope)
  }

  /** The one that runs, or one that is refused; either proves that the store answers. */
  #notNewer(pointer: ActivePointer, running: ActiveConfig<Running>): true {
    const { revision } = running
    this.#pending = undefined
    if (pointer.revision < revision) {
      const message = `active names revision ${pointer.revision}; ${revision} runs`
      this.#refuse('config.revision_older', message, pointer.revision)
    } else if (pointer.snapshot === running.hash) {
      if (running.origin !== 'active') this.#config = { ...running, origin: 'active' }
    } else {
      const message = `active names another snapshot under revision ${revision}, which runs already`
      this.#refuse('config.revision_reused', message, revision)
    }
    return true
  }

  async #check(pointer: ActivePointer, scope: RequestScope): Promise<boolean> {
    const waits = this.#config === undefined
    const { later, ...known } = await this.#parts.gate.check(pointer, waits)
    if (known.refusal !== undefined) return this.#instead(pointer, known, scope)
    let late: Admission | undefined
    const asked = later?.then((answer) => (late = answer))
    const taken = await this.#take(pointer, scope, () => late?.refusal !== undefined)
    if (late?.refusal !== undefined) return this.#instead(pointer, late, scope)
    if (asked !== undefined)
      scope.waitUntil(asked.then(() => this.#afterwards(pointer, late, scope)))
    return taken
  }

  /** The answer came when the pointer was taken already. */
  async #afterwards(
    pointer: ActivePointer,
    late: Admission | undefined,
    scope: RequestScope,
  ): Promise<void> {
    if (late?.refusal === undefined) return
    // whatever is wrong with what should run instead is refused where it is read
    await this.#instead(pointer, late, scope).catch(() => undefined)
  }

  /** Refuses a pointer. Where it is known what was published last, that is due. */
  async #instead(
    pointer: ActivePointer,
    { refusal, current }: Admission,
    scope: RequestScope,
  ): Promise<boolean> {
    if (refusal !== undefined) this.#refuse(refusal.code, refusal.message, pointer.revision)
    const least = Math.max(pointer.revision, this.#config?.revision ?? 0)
    if (current === undefined || current.revision <= least) return false
    if ((await this.#parts.gate.accepted(current)) !== undefined) return false
    return this.#take(current, scope, () => false)
  }

  /** @param barred asked at the last moment: whether the pointer has been refused meanwhile */
  async #take(
    pointer: ActivePointer,
    scope: RequestScope,
    barred: () => boolean,
  ): Promise<boolean> {
    const { revision, issuedAt, snapshot: hash, previous } = pointer
    const running = this.#config
    if (running?.hash === hash) {
      // The same snapshot under a new number: nothing to start.
      this.#config = { ...running, revision, issuedAt, origin: 'active' }
      this.#pending = undefined
      this.#keepCopy(pointer, () => this.#get(`snapshot.${hash}`), scope)
      return true
    }
    const text = await this.#unlessDown(`snapshot.${hash}`)
    if (barred()) return false
    if (text === null) this.#pending = pointer
    else if (text !== undefined) {
      if (await this.#run(text, { revision, hash, issuedAt, origin: 'active' }, scope)) {
        this.#pending = undefined
        this.#keepCopy(pointer, () => Promise.resolve(text), scope)
        return true
      }
    }
    if (this.#config === undefined && previous !== null) {
      const before = await this.#get(`snapshot.${previous}`)
      const about = { revision: 0, hash: previous, issuedAt, origin: 'previous' } as const
      await this.#run(before, about, scope, revision)
    }
    return false
  }

  #keepCopy(pointer: ActivePointer, read: () => Promise<string | null>, scope: RequestScope): void {
    const { copy } = this.#parts
    // where there is no cache, or it is full, the isolate goes on as before
    if (copy) scope.waitUntil(saveCopy(copy, pointer, read).catch(() => undefined))
  }

  async #fromCopy(scope: RequestScope): Promise<void> {
    const { copy, clock, gate } = this.#parts
    if (copy === undefined) return
    // not to be had is as good as not there
    const kept = await withDeadline(loadCopy(copy), COPY_DEADLINE_MS, clock, 'the copy').catch(
      () => undefined,
    )
    if (kept === undefined) return
    const { revision, snapshot: hash, issuedAt } = kept.pointer
    const refusal = await gate.accepted(kept.pointer)
    if (refusal !== undefined) {
      this.#refuse(refusal.code, `the copy in the cache: ${refusal.message}`, revision)
      return
    }
    await this.#run(kept.text, { revision, hash, issuedAt, origin: 'copy' }, scope)
  }

  async #fromBaseline(scope: RequestScope): Promise<void> {
    const { baseline, clock } = this.#parts
    if (baseline === undefined) return
    const issuedAt = new Date(clock.now()).toISOString()
    const about = { revision: 0, hash: baseline.hash, issuedAt, origin: 'baseline' } as const
    await this.#run(baseline.text, about, scope)
  }

  /** @param revision under which what is wrong is kept. @returns whether the snapshot runs */
  async #run(
    text: string | null,
    about: About,
    scope: RequestScope,
    revision: number = about.revision,
  ): Promise<boolean> {
    const read = await readSnapshot(text, about.hash)
    if (!('found' in read)) {
      this.#refuse(read.code, read.message, revision)
      return false
    }
    // Two owners can overlap when one was taken for lost: the higher revision stays.
    const overtaken = (): boolean => (this.#config?.revision ?? 0) > about.revision
    if (overtaken()) return true
    try {
      const late = (one: PluginActivation): void => {
        const now = this.#config?.hash === about.hash ? this.#config : about
        this.#notStarted(one, now.revision)
      }
      const { running, plugins } = await this.#parts.activate(read.found, scope, late)
      if (overtaken()) return true
      this.#config = { ...about, snapshot: read.found, running }
      for (const one of plugins) this.#notStarted(one, about.revision)
      return true
    } catch (error) {
      const message = `snapshot ${about.hash} did not start: ${describe(error)}`
      this.#refuse('config.activation_failed', message, revision)
      return false
    }
  }

  #notStarted({ plugin, outcome, code, reason }: PluginActivation, revision: number): void {
    if (outcome !== 'last-good' && outcome !== 'failed') return
    const what = outcome === 'failed' ? 'nothing runs in its place' : 'its last good version runs'
    const message = `${plugin} did not start (${reason ?? 'no reason given'}); ${what}`
    this.#parts.refusals.add({ code: code ?? 'plugin.not_activated', message, revision, plugin })
  }

  /** As `#get`; a store that is down is refused, for there may be something else to try. */
  async #unlessDown(key: string): Promise<string | null | undefined> {
    try {
      return await this.#get(key)
    } catch (error) {
      this.#refuse('config.source_unavailable', describe(error), 0)
      return undefined
    }
  }

  async #get(key: string): Promise<string | null> {
    const { source, clock } = this.#parts
    const read = (): Promise<string | null> =>
      withDeadline(source.get(key), READ_DEADLINE_MS, clock, key)
    const began = clock.now()
    try {
      return await read()
    } catch (error) {
      // with nothing running, a store that fails now and then is worth asking twice
      if (this.#config !== undefined || clock.now() - began > QUICK_MS) throw error
      return read()
    }
  }

  #refuse(code: string, message: string, revision: number): void {
    this.#parts.refusals.add({ code, message, revision })
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
