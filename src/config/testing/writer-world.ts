/**
 * A store in memory, what the writer remembers, and a writer that can be killed at any of its writes.
 */
import type { ActivePointer } from '../active-pointer.ts'
import { parseActivePointer } from '../active-pointer.ts'
import type {
  ApplyRequest,
  ApplyResult,
  PromoteRequest,
  PromotionLeave,
  RollbackRequest,
} from '../apply/apply-request.ts'
import type { History } from '../apply/history.ts'
import { PolicyWriter } from '../apply/policy-writer.ts'
import type { WriterState } from '../apply/policy-writer.ts'
import type { CatalogModule } from '../compile/module-catalog.ts'
import type { PreflightResult } from '../preflight.ts'
import { readSnapshot } from '../read-snapshot.ts'
import type { Resource } from '../resources/kinds.ts'
import type { WasmPlugin } from '../resources/wasm-plugin.ts'
import type { TrustedKeys } from '../signing/public-key.ts'
import type { Snapshot } from '../snapshot.ts'
import { CATALOG, plugin, route, upstream } from './resources.ts'

/** A whole policy: one upstream, one route, one plugin `p`. */
export const BASE: readonly Resource[] = [upstream('shop'), route('r'), plugin('p')]

/** The plugin `p` in another version of its module. */
export const version = (number: string): WasmPlugin =>
  plugin('p', { url: `oci://r.test/header-policy:${number}` })

/** How a writer dies at a write: before it, after it and before it hears so, or by never hearing again. */
export type Death = 'before' | 'after' | 'silent'

export interface WriterWorld {
  /** The store. */
  readonly values: Map<string, string>
  /** What preflight was asked to try. */
  readonly tried: (readonly string[])[]
  /** The modules that are bound. */
  catalog: readonly CatalogModule[]
  /** The service bindings. */
  services: readonly string[] | undefined
  trusted: TrustedKeys | undefined
  now: number
  apply(resources: readonly unknown[], request?: Partial<ApplyRequest>): Promise<ApplyResult>
  rollback(request?: Partial<RollbackRequest>): Promise<ApplyResult>
  promote(leave: PromotionLeave, request?: Partial<PromoteRequest>): Promise<ApplyResult>
  history(): Promise<History>
  complete(): Promise<void>
  /** What preflight says from now on. */
  refuse(results: readonly PreflightResult[]): void
  /**
   * Does some work with a writer that dies at its `index`-th write from now; another writer takes its
   * place afterwards.
   * @returns whether it came to that write
   */
  killedAt(index: number, death: Death, work: () => Promise<unknown>): Promise<boolean>
  active(): ActivePointer | undefined
  /** What a gateway would run: the whole snapshot the pointer names, or undefined. */
  running(): Promise<Snapshot | undefined>
}

const IDENTITY = { base: 0, by: '', why: '', dryRun: false }

export function world(): WriterWorld {
  const values = new Map<string, string>()
  const tried: (readonly string[])[] = []
  let state: WriterState | undefined
  let verdicts: readonly PreflightResult[] = []
  let death: { at: number; how: Death; died: () => void; reached: boolean } | undefined

  const write = (what: () => void): Promise<void> => {
    if (death === undefined) return Promise.resolve(what())
    if (death.at > 0) {
      death.at -= 1
      return Promise.resolve(what())
    }
    if (!death.reached && death.how !== 'before') what()
    death.reached = true
    if (death.how !== 'silent') return Promise.reject(new Error('killed'))
    death.died()
    return new Promise(() => undefined)
  }
  const start = (): PolicyWriter =>
    new PolicyWriter({
      store: {
        get: (key) => Promise.resolve(values.get(key) ?? null),
        put: (key, text) => write(() => values.set(key, text)),
        delete: (key) => write(() => values.delete(key)),
      },
      state: { load: () => Promise.resolve(state), save: (next) => write(() => (state = next)) },
      preflight: (_snapshot, changed) => {
        tried.push(changed)
        return Promise.resolve(verdicts)
      },
      catalog: here.catalog,
      services: here.services,
      trusted: here.trusted,
      clock: { now: () => here.now, sleep: () => Promise.resolve() },
    })
  const active = (): ActivePointer | undefined => {
    const parsed = parseActivePointer(values.get('active') ?? '')
    return 'pointer' in parsed ? parsed.pointer : undefined
  }
  let writer: PolicyWriter | undefined
  const current = (): PolicyWriter => (writer ??= start())
  const here: WriterWorld = {
    values,
    tried,
    catalog: CATALOG,
    services: undefined,
    trusted: undefined,
    now: Date.parse('2026-11-01T00:00:00Z'),
    apply: (resources, request = {}) =>
      current().apply({ ...IDENTITY, resources, prune: false, ...request }),
    rollback: (request = {}) => current().rollback({ ...IDENTITY, ...request }),
    promote: (leave, request = {}) =>
      current().promote({ ...IDENTITY, rollout: leave.rollout, force: false, ...request }, leave),
    history: () => current().history(),
    complete: () => current().complete(),
    refuse: (results) => void (verdicts = results),
    async killedAt(index, how, work) {
      const died = new Promise<void>((resolve) => {
        death = { at: index, how, died: resolve, reached: false }
      })
      // what a process that is gone was doing is never heard of again
      await Promise.race([work(), died])
      const reached = death?.reached === true
      death = undefined
      writer = undefined
      return reached
    },
    active,
    async running() {
      const name = active()?.snapshot ?? ''
      const read = await readSnapshot(values.get(`snapshot.${name}`) ?? null, name)
      return 'found' in read ? read.found : undefined
    },
  }
  return here
}
