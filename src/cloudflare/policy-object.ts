/**
 * The policy object: the one Durable Object that may write the active pointer. All it adds to
 * `PolicyWriter` is durability: what was decided is in its storage, and an alarm completes what an
 * interruption left half published. `worker.ts` says where its parts come from.
 */
import { DurableObject } from 'cloudflare:workers'
import type { ActivePointer } from '../config/active-pointer.ts'
import type { ApplyRequest, ApplyResult, RollbackRequest } from '../config/apply/apply-request.ts'
import type { History } from '../config/apply/history.ts'
import { PolicyWriter } from '../config/apply/policy-writer.ts'
import type { PolicyWriterParts, WriterState } from '../config/apply/policy-writer.ts'
import { systemClock } from '../config/clock.ts'
import { AcceptedPointers } from '../config/signing/accepted-pointers.ts'
import type { Accepted } from '../config/signing/accepted-pointers.ts'
import type { PointerRefusal } from '../config/signing/verify-pointer.ts'

/** What differs from Worker to Worker: the store, the modules, the trial of plugins. */
export type PolicyObjectParts = Pick<
  PolicyWriterParts,
  'store' | 'catalog' | 'services' | 'preflight' | 'node' | 'rootNamespace' | 'trusted'
>

const STATE_KEY = 'state'
const ACCEPTED_KEY = 'accepted'
/** How long after a decision the alarm looks whether it was published. */
const COMPLETE_AFTER_MS = 10_000

export abstract class PolicyObjectBase<Env> extends DurableObject<Env> {
  readonly #writer: PolicyWriter
  readonly #accepted: AcceptedPointers

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const { storage } = ctx
    const parts = this.parts(env)
    this.#accepted = new AcceptedPointers({
      trusted: parts.trusted,
      state: {
        load: () => storage.get<readonly Accepted[]>(ACCEPTED_KEY),
        save: (accepted) => storage.put(ACCEPTED_KEY, accepted),
      },
      now: () => systemClock.now(),
    })
    this.#writer = new PolicyWriter({
      ...parts,
      clock: systemClock,
      state: {
        load: () => storage.get<WriterState>(STATE_KEY),
        async save(state) {
          if (state.published) await storage.deleteAlarm()
          // Set first: an alarm too many does nothing, one too few leaves the pointer behind.
          else await storage.setAlarm(Date.now() + COMPLETE_AFTER_MS)
          await storage.put(STATE_KEY, state)
        },
      },
    })
  }

  /** Where the parts of this Worker come from; called once, from the constructor. */
  protected abstract parts(env: Env): PolicyObjectParts

  /** Called by the admin API, over RPC. One at a time; never rejects. */
  apply(request: ApplyRequest): Promise<ApplyResult> {
    return this.#writer.apply(request)
  }

  /** Called by the admin API, over RPC. Never rejects. */
  rollback(request: RollbackRequest): Promise<ApplyResult> {
    return this.#writer.rollback(request)
  }

  /** Called by the admin API, over RPC. */
  history(): Promise<History> {
    return this.#writer.history()
  }

  /**
   * Called by gateways that check signatures, over RPC: whether a pointer may be taken. One that may
   * is remembered.
   * @returns why not, and what was published here last
   */
  async admit(pointer: ActivePointer): Promise<{
    readonly refusal?: PointerRefusal
    readonly current?: ActivePointer
  }> {
    const refusal = await this.#accepted.admit(pointer)
    if (refusal === undefined) return {}
    const state = await this.ctx.storage.get<WriterState>(STATE_KEY)
    return state === undefined ? { refusal } : { refusal, current: state.pointer }
  }

  /** Completes what an interruption left; the platform calls again when this fails. */
  override alarm(): Promise<void> {
    return this.#writer.complete()
  }
}
