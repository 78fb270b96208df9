/**
 * The policy object: the one Durable Object that may write the active pointer. All it adds to
 * `PolicyWriter` is durability: what was decided is in its storage, and an alarm completes what an
 * interruption left half published. `worker.ts` says where its parts come from.
 */
import { DurableObject } from 'cloudflare:workers'
import type { ApplyRequest, ApplyResult } from '../config/apply/apply-request.ts'
import { PolicyWriter } from '../config/apply/policy-writer.ts'
import type { PolicyWriterParts, WriterState } from '../config/apply/policy-writer.ts'
import { systemClock } from '../config/clock.ts'

/** What differs from Worker to Worker: the store, the modules, the trial of plugins. */
export type PolicyObjectParts = Pick<
  PolicyWriterParts,
  'store' | 'catalog' | 'services' | 'preflight'
>

const STATE_KEY = 'state'
/** How long after a decision the alarm looks whether it was published. */
const COMPLETE_AFTER_MS = 10_000

export abstract class PolicyObjectBase<Env> extends DurableObject<Env> {
  readonly #writer: PolicyWriter

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const { storage } = ctx
    this.#writer = new PolicyWriter({
      ...this.parts(env),
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

  /** Completes what an interruption left; the platform calls again when this fails. */
  override alarm(): Promise<void> {
    return this.#writer.complete()
  }
}
