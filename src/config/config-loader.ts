/**
 * One look at the store: what is due, whether it may be taken, and bringing it up. Whatever is wrong, what
 * runs goes on; with nothing running yet, the snapshot before, the copy kept nearby and the baseline are
 * tried in this order. What was refused is kept with its reason.
 */
import type { RequestScope } from './activation.ts'
import type { ActiveConfig, Baseline } from './active-config.ts'
import type { ActivePointer } from './active-pointer.ts'
import { parseActivePointer } from './active-pointer.ts'
import type { ConfigClock } from './clock.ts'
import type { Admission, PointerGate } from './pointer-gate.ts'
import type { Refusals } from './refusals.ts'
import type { CopyStore } from './snapshot-copy.ts'
import { loadCopy, saveCopy } from './snapshot-copy.ts'
import type { SnapshotRunner } from './snapshot-runner.ts'
import type { ConfigSource } from './source.ts'
import { withDeadline } from './with-deadline.ts'

/** How long one read of the store may take before the store counts as down. */
const READ_DEADLINE_MS = 3_000
/** A read that fails sooner than that is repeated once, where requests wait for it. */
const QUICK_MS = 250
/** How long requests wait for the store, with nothing running, before something else is tried beside it. */
const PATIENCE_MS = 1_000
/** The copy is near, and a request waits. */
const COPY_DEADLINE_MS = 1_000
/** A pointer has some hundred characters. */
const MAX_POINTER = 10_000

export interface ConfigLoaderParts<Running> {
  readonly source: ConfigSource
  readonly runner: SnapshotRunner<Running>
  readonly clock: ConfigClock
  readonly gate: PointerGate
  readonly refusals: Refusals
  readonly copy: CopyStore | undefined
  readonly baseline: Baseline | undefined
}

export class ConfigLoader<Running> {
  readonly #parts: ConfigLoaderParts<Running>
  #pending: ActivePointer | undefined

  constructor(parts: ConfigLoaderParts<Running>) {
    this.#parts = parts
  }

  /** A pointer that may be taken and whose snapshot the store does not show yet. */
  get pending(): ActivePointer | undefined {
    return this.#pending
  }

  get #config(): ActiveConfig<Running> | undefined {
    return this.#parts.runner.config
  }

  /** Looks once. @returns whether what should run is known and runs; never rejects */
  async look(scope: RequestScope): Promise<boolean> {
    const look = this.#lookAtStore(scope)
    if (this.#config === undefined) {
      await Promise.race([look, this.#parts.clock.sleep(PATIENCE_MS)])
      if (this.#config === undefined) await this.#fallBack(scope)
    }
    return look
  }

  async #lookAtStore(scope: RequestScope): Promise<boolean> {
    try {
      return await this.#active(scope)
    } catch (error) {
      this.#down(error)
      return false
    }
  }

  async #active(scope: RequestScope): Promise<boolean> {
    const text = await this.#get('active')
    if (text === null) {
      // A store that is still empty has nothing that could be refused; `origin` says that nothing runs.
      if (this.#config) this.#refuse('config.pointer_missing', 'the store has no key `active`', 0)
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
    const running = this.#config
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
      if (running.origin !== 'active') this.#parts.runner.rename(running, { origin: 'active' })
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
    const late: { answer?: Admission | undefined } = {}
    const asked = later?.then((answer) => (late.answer = answer))
    const taken = await this.#take(pointer, scope, () => late.answer?.refusal !== undefined)
    const { answer } = late
    if (answer?.refusal !== undefined) return this.#instead(pointer, answer, scope)
    if (asked !== undefined && answer === undefined) {
      scope.waitUntil(asked.then((now) => this.#afterwards(pointer, now, scope)))
    }
    return taken
  }

  /** The answer came when the pointer was taken already. */
  async #afterwards(
    pointer: ActivePointer,
    late: Admission | undefined,
    scope: RequestScope,
  ): Promise<void> {
    if (late?.refusal === undefined) return
    try {
      await this.#instead(pointer, late, scope)
    } catch (error) {
      this.#down(error)
    }
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
    const { runner } = this.#parts
    const { revision, issuedAt, snapshot: hash, previous } = pointer
    const about = { revision, hash, issuedAt, origin: 'active' } as const
    const running = this.#config
    if (running?.hash === hash) {
      // The same snapshot under a new number: nothing to start.
      runner.rename(running, about)
      this.#pending = undefined
      this.#keepCopy(pointer, () => this.#get(`snapshot.${hash}`), scope)
      return true
    }
    const text = await this.#unlessDown(`snapshot.${hash}`)
    if (barred()) return false
    if (text === null) this.#pending = pointer
    else if (text !== undefined && (await runner.run(text, about, scope))) {
      this.#pending = undefined
      this.#keepCopy(pointer, () => Promise.resolve(text), scope)
      return true
    }
    if (this.#config === undefined && previous !== null) {
      const before = await this.#get(`snapshot.${previous}`)
      const old = { revision: 0, hash: previous, issuedAt, origin: 'previous' } as const
      await runner.run(before, old, scope, revision)
    }
    return false
  }

  #keepCopy(pointer: ActivePointer, read: () => Promise<string | null>, scope: RequestScope): void {
    const { copy } = this.#parts
    // where there is no cache, or it is full, the isolate goes on as before
    if (copy) scope.waitUntil(saveCopy(copy, pointer, read).catch(() => undefined))
  }

  async #fallBack(scope: RequestScope): Promise<void> {
    await this.#fromCopy(scope)
    const { baseline, clock, runner } = this.#parts
    if (this.#config !== undefined || baseline === undefined) return
    const issuedAt = new Date(clock.now()).toISOString()
    const about = { revision: 0, hash: baseline.hash, issuedAt, origin: 'baseline' } as const
    await runner.run(baseline.text, about, scope)
  }

  async #fromCopy(scope: RequestScope): Promise<void> {
    const { copy, clock, gate, runner } = this.#parts
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
    await runner.run(kept.text, { revision, hash, issuedAt, origin: 'copy' }, scope)
  }

  /** As `#get`; a store that is down is refused, for there may be something else to try. */
  async #unlessDown(key: string): Promise<string | null | undefined> {
    try {
      return await this.#get(key)
    } catch (error) {
      this.#down(error)
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

  #down(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#refuse('config.source_unavailable', message, 0)
  }

  #refuse(code: string, message: string, revision: number): void {
    this.#parts.refusals.add({ code, message, revision })
  }
}
