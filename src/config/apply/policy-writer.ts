/**
 * The one writer of the store: checks, compiles, tries and publishes a change. It runs inside the
 * policy object (`cloudflare/policy-object.ts`), one change at a time; what it needs comes through
 * ports. How a change becomes visible, and what an interruption leaves, is `publisher.ts`.
 */
import type {
  ApplyRequest,
  ApplyResult,
  PromoteRequest,
  PromotionLeave,
  RollbackRequest,
  WriteRequest,
} from './apply-request.ts'
import type { ActivePointer, UnsignedPointer } from '../active-pointer.ts'
import { canonicalJson } from '../canonical.ts'
import { changedPlugins } from './changed-plugins.ts'
import { compile, nameSnapshot } from '../compile.ts'
import type { NodeFacts } from '../compile/plugin-conditions.ts'
import { diffSnapshots } from './diff.ts'
import { readHistory } from './history.ts'
import type { History } from './history.ts'
import { mergeResources } from './merge-resources.ts'
import type { ModuleCatalog } from '../compile/module-catalog.ts'
import type { Preflight } from '../preflight.ts'
import type { Problem } from '../problem.ts'
import { notPromoted, promotable, promoteCandidate } from './promote-candidate.ts'
import { type Promotion, remembered, undoneBy, undoProblems, versionNamed } from './promotions.ts'
import { Publisher } from './publisher.ts'
import type { Current, PublisherParts } from './publisher.ts'
import { recordedChanges } from './revision-record.ts'
import type { RevisionRecord } from './revision-record.ts'
import { findRollback } from './rollback-target.ts'
import { verifyPointer } from '../signing/verify-pointer.ts'
import type { Resource } from '../resources/kinds.ts'
import type { PluginId, Snapshot } from '../snapshot.ts'

export type { PolicyStore, WriterState } from './publisher.ts'

export interface PolicyWriterParts extends PublisherParts {
  readonly preflight: Preflight
  readonly catalog: ModuleCatalog
  /** The Worker's service bindings; absent where nobody knows them. */
  readonly services?: readonly string[] | undefined
  /** What the node that compiles is and gives to plugins; absent where nobody knows it. */
  readonly node?: NodeFacts | undefined
  /** The namespace whose plugins are for all namespaces; Istio's when absent. */
  readonly rootNamespace?: string | undefined
}

/** What is to become active. */
interface Candidate {
  readonly snapshot: Snapshot
  readonly hash: string
  readonly warnings: readonly Problem[]
  /** What the store has to have before the pointer names it. */
  readonly entries: readonly (readonly [key: string, text: string])[]
  readonly rollbackTo?: number | undefined
  /** Absent: what would undo a promotion is refused. */
  readonly mayUndo?: boolean | undefined
  /** The candidate that becomes its plugin. */
  readonly promotes?: { readonly leave: PromotionLeave; readonly plugin: PluginId } | undefined
}

export class PolicyWriter {
  readonly #parts: PolicyWriterParts
  readonly #publisher: Publisher
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: PolicyWriterParts) {
    this.#parts = parts
    this.#publisher = new Publisher(parts)
  }

  /** Applies a change, after the ones that came before it. Never rejects. */
  apply(request: ApplyRequest): Promise<ApplyResult> {
    return this.#write(request, (current) => this.#compiled(request, current))
  }

  /** Makes a new revision that names the snapshot of an old one. Never rejects. */
  rollback(request: RollbackRequest): Promise<ApplyResult> {
    const { store, catalog, services } = this.#parts
    return this.#write(request, async (current) => {
      const found = await findRollback(request.to, current, { source: store, catalog, services })
      return 'problems' in found ? found.problems : { ...found, entries: [], mayUndo: true }
    })
  }

  /**
   * Makes the candidate of a rollout its plugin, and takes the rollout out. Never rejects.
   * @param leave that it may be: whoever asks has looked where the rollout is
   */
  promote(request: PromoteRequest, leave: PromotionLeave): Promise<ApplyResult> {
    const about = `promoted ${leave.rollout} run ${leave.run}`
    const why = request.why === '' ? about : `${about}: ${request.why}`
    return this.#write({ ...request, why }, (current) => this.#promoted(leave, current))
  }

  /** The revisions there have been. Rejects when the store cannot be read. */
  history(): Promise<History> {
    return this.#inTurn(async () => readHistory(this.#parts.store, await this.#publisher.current()))
  }

  /** Publishes what was decided before an interruption, if anything was. Rejects when it cannot. */
  complete(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#publisher.current()
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn
    return turn
  }

  /** @param candidate what is to be written, or why it may not be */
  #write(
    request: WriteRequest,
    candidate: (current: Current) => Promise<Candidate | readonly Problem[]>,
  ): Promise<ApplyResult> {
    return this.#inTurn(async () => {
      try {
        const current = await this.#publisher.current()
        const base = current.pointer?.revision ?? 0
        if (!request.dryRun && request.base !== base) return { result: 'conflict', current: base }
        const found = await candidate(current)
        return 'snapshot' in found
          ? await this.#tryAndPublish(request, current, found)
          : refused(found)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        return { result: 'failed', code: 'apply.failed', message }
      }
    })
  }

  async #compiled(
    request: ApplyRequest,
    current: Current,
  ): Promise<Candidate | readonly Problem[]> {
    const stored = request.prune ? [] : await this.#resources(current)
    const merged = mergeResources(request.resources, stored)
    if (merged.resources === undefined) return merged.problems
    const compiled = await this.#compile(merged.resources, merged.problems, current)
    return 'snapshot' in compiled ? { ...compiled, mayUndo: request.force } : compiled
  }

  async #promoted(
    leave: PromotionLeave,
    current: Current,
  ): Promise<Candidate | readonly Problem[]> {
    const rollout = await promotable(current.snapshot, leave)
    if ('problems' in rollout) return rollout.problems
    const stored = mergeResources([], await this.#resources(current))
    if (stored.resources === undefined) return stored.problems
    const changed = promoteCandidate(stored.resources, rollout)
    if ('problems' in changed) return changed.problems
    const compiled = await this.#compile(changed.resources, promotionWarnings(leave), current)
    if (!('snapshot' in compiled)) return compiled
    const wrong = notPromoted(compiled.snapshot, rollout)
    if (wrong.length > 0) return wrong
    return { ...compiled, mayUndo: true, promotes: { leave, plugin: rollout.plugin } }
  }

  async #compile(
    resources: readonly Resource[],
    problems: readonly Problem[],
    current: Current,
  ): Promise<Candidate | readonly Problem[]> {
    const { catalog, services, node, rootNamespace } = this.#parts
    const { snapshot: previous } = current
    const context = { catalog, services, node, rootNamespace, previous }
    const compiled = compile({ resources, ...context })
    const warnings = [...problems, ...compiled.problems]
    if (compiled.snapshot === undefined) return warnings
    const { snapshot, hash, text } = await nameSnapshot(compiled.snapshot)
    const entries = [
      [`snapshot.${hash}`, text],
      [`resources.${hash}`, canonicalJson(resources)],
    ] as const
    return { snapshot, hash, warnings, entries }
  }

  async #tryAndPublish(
    request: WriteRequest,
    current: Current,
    candidate: Candidate,
  ): Promise<ApplyResult> {
    const { snapshot, hash, rollbackTo: to, mayUndo = false } = candidate
    const undone = await undoneBy(current.promotions, current.snapshot, snapshot)
    const warnings = [...undoProblems(undone, mayUndo), ...candidate.warnings]
    if (undone.length > 0 && !mayUndo) return refused(warnings)
    const base = current.pointer?.revision ?? 0
    if (hash === current.pointer?.snapshot && !signsAgain(request, current.pointer)) {
      return { result: 'unchanged', revision: base, snapshot: hash, warnings }
    }
    const tried = await this.#parts.preflight(snapshot, changedPlugins(current.snapshot, snapshot))
    const failed = tried.filter((result) => !result.ok)
    if (failed.length > 0) return { result: 'refused', problems: warnings, preflight: failed }

    const changes = diffSnapshots(current.snapshot, snapshot)
    const pointer = this.#pointer(request, current, hash)
    if (request.dryRun) {
      const plan = { base, snapshot: hash, changes, warnings, preflight: tried, pointer }
      return { result: 'planned', ...plan, ...(to !== undefined && { to }) }
    }
    const wrong = await this.#wrongPointer(request.pointer, pointer)
    if (wrong !== undefined) return refused([wrong])
    const { by, why } = request
    const written = request.pointer ?? pointer
    const { issuedAt: at, ...about } = written
    const rolled = to === undefined ? {} : { rollbackTo: to }
    const record: RevisionRecord = { ...about, by, why, at, ...rolled, ...recordedChanges(changes) }
    const made = await madePromotion(candidate, current, written.revision)
    const promotions = await remembered(current.promotions, made, snapshot)
    await this.#publisher.publish(current, written, record, candidate.entries, promotions)
    return { result: 'applied', revision: written.revision, snapshot: hash, changes, warnings }
  }

  /** The pointer as this writer would make it. */
  #pointer({ signing }: WriteRequest, current: Current, hash: string): UnsignedPointer {
    const expiresAt = signing?.expiresAt
    return {
      revision: (current.pointer?.revision ?? 0) + 1,
      snapshot: hash,
      previous: current.pointer?.snapshot ?? null,
      issuedAt: new Date(this.#parts.clock.now()).toISOString(),
      ...(expiresAt !== undefined && { expiresAt }),
    }
  }

  /** Why gateways would not take what is to be written; what was signed must be what is written. */
  async #wrongPointer(
    signed: ActivePointer | undefined,
    own: UnsignedPointer,
  ): Promise<Problem | undefined> {
    const about = { severity: 'error', resource: '', path: [] } as const
    const fields = ['revision', 'snapshot', 'previous'] as const
    if (signed !== undefined && fields.some((field) => signed[field] !== own[field])) {
      const message = 'what would be written is not what was signed: the gateway has changed since'
      return { ...about, code: 'apply.plan_changed', message }
    }
    const { trusted, clock } = this.#parts
    const refusal = await verifyPointer(signed ?? own, trusted, clock.now())
    return refusal === undefined ? undefined : { ...about, ...refusal }
  }

  /** The resources behind what is active; undefined when nobody wrote them down. */
  async #resources(current: Current): Promise<readonly unknown[] | undefined> {
    if (current.pointer === undefined) return []
    const text = await this.#parts.store.get(`resources.${current.pointer.snapshot}`)
    if (text === null) return undefined
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  }
}

/**
 * Whether a revision is due though nothing else changes: what runs is to get a signature, or another
 * one than it has, or one that is good for longer.
 */
function signsAgain({ signing, pointer, dryRun }: WriteRequest, active: ActivePointer): boolean {
  if (!dryRun) return pointer !== undefined
  if (signing === undefined) return false
  const same = active.signature?.keyId === signing.keyId
  return !same || active.expiresAt !== undefined || signing.expiresAt !== undefined
}

/** What is to be remembered of a change that promotes a candidate. */
async function madePromotion(
  { promotes, snapshot }: Candidate,
  current: Current,
  revision: number,
): Promise<Promotion | undefined> {
  const before = promotes && current.snapshot?.plugins[promotes.plugin]
  const after = promotes && snapshot.plugins[promotes.plugin]
  if (promotes === undefined || before === undefined || after === undefined) return undefined
  const { rollout, run } = promotes.leave
  const [replaced, promoted] = await Promise.all([versionNamed(before), versionNamed(after)])
  return { plugin: promotes.plugin, rollout, run, revision, replaced, promoted }
}

function promotionWarnings({ warning: message }: PromotionLeave): readonly Problem[] {
  const about = { severity: 'warning', resource: '', path: [] } as const
  return message === undefined ? [] : [{ ...about, code: 'rollout.not_complete', message }]
}

function refused(problems: readonly Problem[]): ApplyResult {
  return { result: 'refused', problems, preflight: [] }
}
