/**
 * The singleton object: the one Durable Object in which a gateway's singletons run. An alarm calls it for
 * ticks, with no traffic at all and after a restart; plugins on the request path send it items.
 */
import { DurableObject } from 'cloudflare:workers'
import { type DueTicks, type QueueBatch, SingletonHost, type Singletons } from '../gateway/index.ts'
import { hasHub } from './report-sink.ts'
import type { Env } from './env.ts'
import { type Bundled, gatewayOptions } from './gateway-options.ts'

const DUE_KEY = 'due'
/** An alarm costs a write: ticks come at most this often. */
const LEAST_MS = 50

export abstract class SingletonObjectBase extends DurableObject<Env> {
  readonly #host: SingletonHost
  /** null for none; undefined while it is not known: one may be set from before. */
  #alarmAt: number | null | undefined

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const { kv } = ctx.storage
    this.#host = new SingletonHost({
      ...gatewayOptions(env, this.bundled(), nameOf(env)),
      due: {
        load: () => kv.get<DueTicks>(DUE_KEY),
        save: (due) => kv.put(DUE_KEY, due),
      },
    })
  }

  /** What was deployed with the Worker; called once, from the constructor. */
  protected abstract bundled(): Bundled

  /** Called over RPC, as `enqueue` is. @param revision - that is active, where that is known */
  async wake(revision?: number): Promise<void> {
    await this.#host.wake(this.ctx, revision)
    await this.#arm()
  }

  async enqueue(batch: QueueBatch): Promise<void> {
    await this.#host.enqueue(this.ctx, batch)
    await this.#arm()
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null
    await this.#host.turn(this.ctx)
    await this.#arm()
  }

  async #arm(): Promise<void> {
    const { nextAt } = this.#host
    if (nextAt === undefined) {
      if (this.#alarmAt !== null) await this.ctx.storage.deleteAlarm()
      this.#alarmAt = null
      return
    }
    // what is due now waits a little for what is due next
    const at = Math.max(Math.ceil(nextAt), Date.now() + LEAST_MS)
    if (typeof this.#alarmAt === 'number' && this.#alarmAt <= at) return
    this.#alarmAt = at
    await this.ctx.storage.setAlarm(at)
  }
}

/** What its reports call it: a hub hears of the singletons of many stores. */
function nameOf(env: Env): string {
  return hasHub(env) && env.NODE_NAME ? `${env.NODE_NAME}/singletons` : 'singletons'
}

/** The way to the singleton object. A stub belongs to the request that made it, so each call makes its own. */
export function singletonsOf(objects: DurableObjectNamespace<SingletonObjectBase>): Singletons {
  return {
    wake: () => objects.getByName('singletons').wake(),
    enqueue: (batch) => objects.getByName('singletons').enqueue(batch),
  }
}
