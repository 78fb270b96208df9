/**
 * The report object: the one Durable Object to which all isolates report. All it adds to `ReportStore` is
 * durability: a batch is in its storage before the reply that acknowledges it leaves. Isolates write to
 * it now and then, never for a request.
 */
import { DurableObject } from 'cloudflare:workers'
import type {
  ActiveRevision,
  MergedView,
  Report,
  ReportReply,
  VersionedRollouts,
} from '../observe/index.ts'
import { ReportStore } from '../observe/index.ts'
import { type Env, reportSeconds } from './env.ts'

/** An isolate that has missed so many reports is gone: none has come by, or it was evicted. */
const MISSED = 20

export class ReportObject extends DurableObject<Env> {
  readonly #store: ReportStore

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const { kv } = ctx.storage
    this.#store = new ReportStore({
      storage: {
        list: (prefix) => kv.list({ prefix }),
        put: (key, value) => kv.put(key, value),
        delete: (key) => void kv.delete(key),
      },
      goneAfterMs: reportSeconds(env.REPORT_SECONDS) * 1000 * MISSED,
    })
  }

  /** Takes a report in; called over RPC, as are the others. */
  send(report: Report): ReportReply {
    return this.#store.accept(report, Date.now())
  }

  view(node?: string): MergedView {
    return this.#store.view(Date.now(), node)
  }

  announce(active: ActiveRevision): void {
    this.#store.announce(active)
  }

  announceRollouts(rollouts: VersionedRollouts): void {
    this.#store.announceRollouts(rollouts)
  }
}
