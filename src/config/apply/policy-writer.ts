/**
 * The one writer of the store: checks, compiles, tries and publishes a change. It runs inside the
 * policy object (`cloudflare/policy-object.ts`), one at a time; what it needs comes through ports.
 *
 * A change becomes decided when `state` says so. Before that nothing of it is visible; after that the
 * pointer may still be behind, and `complete` brings it up: at the next apply, or when an alarm says
 * so. Whatever instant it is interrupted at, the pointer names a whole snapshot.
 */
import type { ApplyRequest, ApplyResult } from './apply-request.ts'
import type { ActivePointer } from '../active-pointer.ts'
import { parseActivePointer } from '../active-pointer.ts'
import { canonicalJson } from '../canonical.ts'
import { changedPlugins } from './changed-plugins.ts'
import type { ConfigClock } from '../clock.ts'
import { compile, nameSnapshot } from '../compile.ts'
import { diffSnapshots } from './diff.ts'
import { mergeResources } from './merge-resources.ts'
import type { ModuleCatalog } from '../compile/module-catalog.ts'
import type { Preflight } from '../preflight.ts'
import type { Problem } from '../problem.ts'
import { readSnapshot } from '../read-snapshot.ts'
import type { RevisionRecord } from './revision-record.ts'
import type { Snapshot } from '../snapshot.ts'
import type { ConfigSource } from '../source.ts'

/** The store, for writing. */
export interface PolicyStore extends ConfigSource {
  put(key: string, text: string): Promise<void>
  delete(key: string): Promise<void>
}

/** What the writer itself remembers, durably and at once. */
export interface WriterState {
  readonly pointer: ActivePointer
  /** Whether the store has the pointer; false between the decision and its publication. */
  readonly published: boolean
  /** The revisions whose records are kept, oldest first. */
  readonly kept: readonly number[]
}

export interface PolicyWriterParts {
  readonly store: PolicyStore
  readonly state: {
    load(): Promise<WriterState | undefined>
    save(state: WriterState): Promise<void>
  }
  readonly preflight: Preflight
  readonly catalog: ModuleCatalog
  /** The Worker's service bindings; absent where nobody knows them. */
  readonly services?: readonly string[] | undefined
  readonly clock: ConfigClock
}

const KEPT_REVISIONS = 50
/** KV takes one write per second to one key. */
const PUT_PAUSE_MS = 1_100
const PUT_TRIES = 3

interface Current {
  readonly pointer: ActivePointer | undefined
  readonly snapshot: Snapshot | undefined
  readonly kept: readonly number[]
}

export class PolicyWriter {
  readonly #parts: PolicyWriterParts
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: PolicyWriterParts) {
    this.#parts = parts
  }

  /** Applies a change, after the ones that came before it. Never rejects. */
  apply(request: ApplyRequest): Promise<ApplyResult> {
    return this.#inTurn(async () => {
      try {
        return await this.#apply(request)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        return { result: 'failed', code: 'apply.failed', message }
      }
    })
  }

  /** Publishes what was decided before an interruption, if anything was. Rejects when it cannot. */
  complete(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#current()
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn
    return turn
  }

  async #apply(request: ApplyRequest): Promise<ApplyResult> {
    const current = await this.#current()
    const base = current.pointer?.revision ?? 0
    if (!request.dryRun && request.base !== base) return { result: 'conflict', current: base }

    const merged = mergeResources(
      request.resources,
      request.prune ? [] : await this.#resources(current),
    )
    if (merged.resources === undefined) return refused(merged.problems)
    const { catalog, services, preflight } = this.#parts
    const { resources } = merged
    const compiled = compile({ resources, catalog, services, previous: current.snapshot })
    const problems = [...merged.problems, ...compiled.problems]
    if (compiled.snapshot === undefined) return refused(problems)

    const named = await nameSnapshot(compiled.snapshot)
    const { snapshot, hash } = named
    if (hash === current.pointer?.snapshot) {
      return { result: 'unchanged', revision: base, snapshot: hash, warnings: problems }
    }
    const tried = await preflight(snapshot, changedPlugins(current.snapshot, snapshot))
    const failed = tried.filter((result) => !result.ok)
    if (failed.length > 0) return { result: 'refused', problems, preflight: failed }

    const changes = diffSnapshots(current.snapshot, snapshot)
    if (request.dryRun) {
      return { result: 'planned', base, snapshot: hash, changes, warnings: problems }
    }
    const revision = await this.#publish(request, current, named.text, hash, resources)
    return { result: 'applied', revision, snapshot: hash, changes, warnings: problems }
  }

  /**
   * What is active: what this writer decided last, or a pointer that was moved by hand since. The
   * higher revision wins. Publishes a decision that was interrupted.
   */
  async #current(): Promise<Current> {
    const { state, store } = this.#parts
    const own = await state.load()
    const text = await store.get('active')
    const parsed = text === null ? undefined : parseActivePointer(text)
    const stored = parsed !== undefined && 'pointer' in parsed ? parsed.pointer : undefined
    const kept = own?.kept ?? []
    let pointer = stored
    if (own !== undefined && own.pointer.revision >= (stored?.revision ?? 0)) {
      pointer = own.pointer
      // Something else under the same number was moved there by hand, and no gateway would take it.
      const whole = stored?.revision !== pointer.revision || stored.snapshot === pointer.snapshot
      if (!own.published || stored === undefined || !whole) await this.#point(own)
    }
    if (pointer === undefined) return { pointer, snapshot: undefined, kept }
    const read = await readSnapshot(
      await store.get(`snapshot.${pointer.snapshot}`),
      pointer.snapshot,
    )
    return { pointer, snapshot: 'found' in read ? read.found : undefined, kept }
  }

  /** The resources behind what is active; undefined when nobody wrote them down. */
  async #resources(current: Current): Promise<readonly unknown[] | undefined> {
    if (current.pointer === undefined) return []
    const text = await this.#parts.store.get(`resources.${current.pointer.snapshot}`)
    if (text === null) return undefined
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  }

  async #publish(
    request: ApplyRequest,
    current: Current,
    text: string,
    hash: string,
    resources: readonly unknown[],
  ): Promise<number> {
    const { store, state, clock } = this.#parts
    const revision = (current.pointer?.revision ?? 0) + 1
    const previous = current.pointer?.snapshot ?? null
    const at = new Date(clock.now()).toISOString()
    const { by, why } = request
    const record: RevisionRecord = { revision, snapshot: hash, previous, by, why, at }
    // The order matters: what a pointer names is in the store before the pointer is.
    await store.put(`snapshot.${hash}`, text)
    await store.put(`resources.${hash}`, canonicalJson(resources))
    await store.put(`revision.${revision}`, canonicalJson(record))
    const kept = [...current.kept.filter((one) => one < revision), revision]
    const pointer = { revision, snapshot: hash, previous, issuedAt: at }
    const decided: WriterState = { pointer, published: false, kept }
    await state.save(decided)
    await this.#point(decided)
    return revision
  }

  /** Writes the pointer, then forgets revisions that are too old. */
  async #point(decided: WriterState): Promise<void> {
    const { store, state } = this.#parts
    await this.#putPatiently('active', canonicalJson(decided.pointer))
    const drop = decided.kept.slice(0, -KEPT_REVISIONS)
    for (const revision of drop) await store.delete(`revision.${revision}`)
    await state.save({ ...decided, published: true, kept: decided.kept.slice(-KEPT_REVISIONS) })
  }

  async #putPatiently(key: string, text: string): Promise<void> {
    const { store, clock } = this.#parts
    for (let tries = 1; ; tries += 1) {
      try {
        return await store.put(key, text)
      } catch (error) {
        if (tries === PUT_TRIES) throw error
        await clock.sleep(PUT_PAUSE_MS)
      }
    }
  }
}

function refused(problems: readonly Problem[]): ApplyResult {
  return { result: 'refused', problems, preflight: [] }
}
