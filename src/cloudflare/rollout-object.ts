/**
 * The rollout object: the one Durable Object that takes rollouts forward. All it adds to
 * `RolloutController` is durability and alarms; the controller is in the second module, which it loads.
 */
import { DurableObject } from 'cloudflare:workers'
import { parseActivePointer } from '../config/active-pointer.ts'
import { systemClock } from '../config/clock.ts'
import { readSnapshot } from '../config/read-snapshot.ts'
import { withDeadline } from '../config/with-deadline.ts'
import { describeError } from '../proxy-wasm/index.ts'
import type { PromotionLeave } from '../config/apply/apply-request.ts'
import type { Snapshot } from '../config/snapshot.ts'
import type { MergedView } from '../observe/index.ts'
import type { RolloutAction } from '../rollout/controller.ts'
import { parseRollouts } from '../rollout/parse-document.ts'
import type { Kill, RolloutsRecord } from '../rollout/record.ts'
import type { RolloutsView } from '../rollout/rollouts-view.ts'
import type { RolloutErrorCode } from '../rollout/rollout-error.ts'
import { type Env, reportSeconds, seconds } from './env.ts'
import { kvConfigSource } from './kv-config.ts'
import { type Control, loadControl } from './load-control.ts'

type RolloutController = InstanceType<Control['RolloutController']>

/** What is thrown does not keep its code over RPC. */
interface Refusal {
  readonly code: RolloutErrorCode
  readonly message: string
}

export type RolloutAnswer = RolloutsView | Refusal

const RECORD_KEY = 'record'
const REVISION_KEY = 'revision'
/** How long after something was kept it is looked after, should whoever kept it die. */
const SOON_MS = 1_000
const AGAIN_MS = 10_000
/** How often a controller looks at the most: what it looks at comes with reports. */
const LOOK_SECONDS = 10
/** How long KV may show a place an old value, and some. */
const RISE_LEAD_SECONDS = 100
/** How long a write of KV may take. */
const PUT_MS = 5_000
/** How long what is active, or what was counted, may take to be read. */
const LOOK_MS = 2_000
/** How long a rollback waits to hear what KV has. */
const STANDING_MS = 500

export class RolloutObject extends DurableObject<Env> {
  #controller: RolloutController | undefined

  /** Called by the admin API, over RPC, as are the others. */
  act(id: string, action: RolloutAction, by: string): Promise<RolloutAnswer> {
    return this.#answer((controller) => controller.act(id, action, by))
  }

  kill(kill: Kill, on: boolean, by: string): Promise<RolloutAnswer> {
    return this.#answer((controller) => controller.kill(kill, on, by))
  }

  /** Called by the policy object, over RPC: whether a candidate may become its plugin. */
  promotion(id: string, force: boolean): Promise<PromotionLeave | Refusal> {
    return this.#refusable((controller) => controller.promotion(id, force))
  }

  /** Called by the policy object, over RPC: another revision is active now, whatever the store shows yet. */
  async wake(revision: number): Promise<void> {
    await this.ctx.storage.put(REVISION_KEY, revision)
    await this.ctx.storage.setAlarm(Date.now())
  }

  async view(): Promise<RolloutsView> {
    return (await this.#load()).view()
  }

  /** A turn. The platform gives an alarm up that fails again and again, so none does. */
  override async alarm(): Promise<void> {
    try {
      const revision = await this.ctx.storage.get<number>(REVISION_KEY)
      const next = await (await this.#load()).turn(revision)
      if (next === undefined) await this.ctx.storage.deleteAlarm()
      else await this.ctx.storage.setAlarm(next)
    } catch (error) {
      console.error(`rollouts: ${describeError(error)}`)
      await this.ctx.storage.setAlarm(Date.now() + AGAIN_MS)
    }
  }

  #answer(work: (controller: RolloutController) => Promise<unknown>): Promise<RolloutAnswer> {
    return this.#refusable(async (controller) => {
      await work(controller)
      return controller.read()
    })
  }

  async #refusable<T>(work: (controller: RolloutController) => Promise<T>): Promise<T | Refusal> {
    const controller = await this.#load()
    try {
      return await work(controller)
    } catch (error) {
      const { RolloutError } = await loadControl()
      if (!(error instanceof RolloutError)) throw error
      return { code: error.code, message: error.message }
    }
  }

  /** The one controller: calls that come while it is loaded get the same. */
  async #load(): Promise<RolloutController> {
    if (this.#controller !== undefined) return this.#controller
    const { RolloutController, activeVersions, countsOf } = await loadControl()
    const { KV, REPORTS, RISE_LEAD_SECONDS: lead, REPORT_SECONDS: reports } = this.env
    const timing = {
      riseLeadMs: (seconds(lead) ?? RISE_LEAD_SECONDS) * 1000,
      lookEveryMs: Math.min(reportSeconds(reports), LOOK_SECONDS) * 1000,
    }
    const { storage } = this.ctx
    return (this.#controller ??= new RolloutController(
      {
        record: {
          load: () => storage.get<RolloutsRecord>(RECORD_KEY),
          async save(record) {
            // set first: an alarm too many does nothing, one too few leaves a rollout behind
            await storage.setAlarm(Date.now() + SOON_MS)
            await storage.put(RECORD_KEY, record)
          },
        },
        name: () => crypto.randomUUID(),
        async standing() {
          const read = kvConfigSource(KV).get('rollouts')
          const text = await withDeadline(read, STANDING_MS, systemClock, 'rollouts')
          return parseRollouts(text)?.version ?? 0
        },
        async publish(document) {
          const put = KV.put('rollouts', JSON.stringify(document))
          try {
            // one that hangs must not hold back what comes behind it
            await withDeadline(put, PUT_MS, systemClock, 'rollouts')
          } catch (error) {
            console.error(`rollouts: KV cannot be written: ${describeError(error)}`)
            throw error
          }
        },
        async announce(document) {
          await REPORTS?.getByName('reports').announceRollouts(document)
        },
        active: async () => {
          // one that hangs must not hold back who kills
          const { snapshot, revision } = await inTime(activeSnapshot(KV), 'what is active')
          return activeVersions(snapshot, revision)
        },
        async counts() {
          if (REPORTS === undefined) throw new Error('there is no binding for reports')
          const view: Promise<MergedView> = REPORTS.getByName('reports').view()
          return countsOf((await inTime(view, 'what was counted')).metrics)
        },
        now: () => Date.now(),
      },
      timing,
    ))
  }
}

/** @throws when it takes too long */
function inTime<T>(read: Promise<T>, what: string): Promise<T> {
  return withDeadline(read, LOOK_MS, systemClock, what)
}

/** What the store says is active. @throws when it does not say */
async function activeSnapshot(
  kv: KVNamespace,
): Promise<{ readonly snapshot: Snapshot; readonly revision: number }> {
  const source = kvConfigSource(kv)
  const text = await source.get('active')
  const parsed = text === null ? undefined : parseActivePointer(text)
  if (parsed === undefined || !('pointer' in parsed)) throw new Error('no revision is active')
  const { snapshot: hash, revision } = parsed.pointer
  const read = await readSnapshot(await source.get(`snapshot.${hash}`), hash)
  if (!('found' in read)) throw new Error(read.message)
  return { snapshot: read.found, revision }
}
