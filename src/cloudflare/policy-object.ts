/**
 * The policy object: the one Durable Object that may write the active pointer. All it adds to
 * `PolicyWriter` is durability: what was decided is in its storage, and an alarm completes what an
 * interruption left half published. The writer is in the second module, which the first change loads.
 */
import { DurableObject } from 'cloudflare:workers'
import type { ActivePointer } from '../config/active-pointer.ts'
import type {
  ApplyRequest,
  ApplyResult,
  PromoteRequest,
  RollbackRequest,
} from '../config/apply/apply-request.ts'
import type { History } from '../config/apply/history.ts'
import type { PolicyStore, PolicyWriterParts, WriterState } from '../config/apply/policy-writer.ts'
import { systemClock } from '../config/clock.ts'
import { AcceptedPointers } from '../config/signing/accepted-pointers.ts'
import type { Accepted } from '../config/signing/accepted-pointers.ts'
import type { PointerRefusal } from '../config/signing/verify-pointer.ts'
import { type ModuleSource, preflight } from '../gateway/index.ts'
import { type Env, serviceNames } from './env.ts'
import { kvPolicyStore } from './kv-config.ts'
import { type Control, loadControl } from './load-control.ts'
import { gatewayNode, nodeFacts } from './node.ts'
import { announcingStore } from './report-sink.ts'
import { trustedKeys } from './trust.ts'

type PolicyWriter = InstanceType<Control['PolicyWriter']>

const STATE_KEY = 'state'
const ACCEPTED_KEY = 'accepted'
/** How long after a decision the alarm looks whether it was published. */
const COMPLETE_AFTER_MS = 10_000

export abstract class PolicyObjectBase extends DurableObject<Env> {
  readonly #accepted: AcceptedPointers
  #writer: PolicyWriter | undefined

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const { storage } = ctx
    this.#accepted = new AcceptedPointers({
      trusted: trustedKeys(env),
      state: {
        load: () => storage.get<readonly Accepted[]>(ACCEPTED_KEY),
        save: (accepted) => storage.put(ACCEPTED_KEY, accepted),
      },
      now: () => systemClock.now(),
    })
  }

  /** The modules that were deployed with the Worker. */
  protected abstract modules(): ModuleSource

  /** Called by the admin API, over RPC. One at a time. Rejects when the second module is missing. */
  async apply(request: ApplyRequest): Promise<ApplyResult> {
    return (await this.#loadWriter()).apply(request)
  }

  /** Called by the admin API, over RPC. Rejects when the second module is missing. */
  async rollback(request: RollbackRequest): Promise<ApplyResult> {
    return (await this.#loadWriter()).rollback(request)
  }

  /**
   * Called by the admin API, over RPC. The rollout object says whether it may be: one that is rolled back
   * between its word and the write is promoted all the same, which is what was asked for.
   */
  async promote(request: PromoteRequest): Promise<ApplyResult> {
    const { ROLLOUTS } = this.env
    if (ROLLOUTS === undefined) {
      return { result: 'failed', code: 'rollout.off', message: 'there is no binding ROLLOUTS' }
    }
    const leave = await ROLLOUTS.getByName('rollouts').promotion(request.rollout, request.force)
    if (!('code' in leave)) return (await this.#loadWriter()).promote(request, leave)
    const problem = { ...leave, severity: 'error', resource: '', path: [] } as const
    return { result: 'refused', problems: [problem], preflight: [] }
  }

  /** Called by the admin API, over RPC. */
  async history(): Promise<History> {
    return (await this.#loadWriter()).history()
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
  override async alarm(): Promise<void> {
    return (await this.#loadWriter()).complete()
  }

  /** The one writer: calls that come while it is loaded get the same. */
  async #loadWriter(): Promise<PolicyWriter> {
    if (this.#writer !== undefined) return this.#writer
    const { PolicyWriter } = await loadControl()
    return (this.#writer ??= new PolicyWriter(this.#parts()))
  }

  #parts(): PolicyWriterParts {
    const { env } = this
    const { storage } = this.ctx
    const modules = this.modules()
    return {
      store: announced(env),
      catalog: modules.modules,
      services: serviceNames(env),
      preflight: preflight(modules, gatewayNode(env)),
      node: nodeFacts(env),
      rootNamespace: env.ROOT_NAMESPACE || undefined,
      trusted: trustedKeys(env),
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
    }
  }
}

/** The store; the other objects hear of what becomes active in it. */
function announced(env: Env): PolicyStore {
  return announcingStore(kvPolicyStore(env.KV), (active) =>
    Promise.all([
      env.REPORTS?.getByName('reports').announce(active),
      env.SINGLETONS?.getByName('singletons').wake(active.revision),
      env.ROLLOUTS?.getByName('rollouts').wake(active.revision),
    ]),
  )
}
