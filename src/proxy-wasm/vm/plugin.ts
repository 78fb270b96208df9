/**
 * A plugin that can run: its spec, and the root context that new streams use. Starts its vm when a
 * stream first needs it, and again after a back-off when it has trapped. What clients see meanwhile is
 * decided per stream by the fail strategy.
 */
import { LogLevel } from '../abi/enums.ts'
import { describeError, type LoadError } from '../errors.ts'
import type { Chain } from '../stream/chain.ts'
import type { Decision } from '../stream/decision.ts'
import { type IoContext, runIn } from '../stream/io-context.ts'
import { FailOpenMinute } from './fail-open-minute.ts'
import { type PluginCounts, pluginCounts } from './plugin-counts.ts'
import type { PluginSpec } from './plugin-spec.ts'
import { RootContext } from './root-context.ts'
import type { VmPool } from './vm-pool.ts'

/** Envoy's interval of FAIL_RELOAD: 1 s, up to half as much again at random. The others double it while they fail. */
const BACKOFF_MS = 1_000
const BACKOFF_MAX_MS = 60_000
/** A vm that ran this long starts its back-off anew. */
const STABLE_MS = 60_000

export type PluginState = 'idle' | 'running' | 'last-good' | 'failed' | 'retired'

export interface PluginFallback {
  /** Runs instead while this one does not start: its last good version. */
  readonly plugin?: Plugin | undefined
  /** Hears each time that a stream needed this one and it did not start. */
  readonly notStarted?: ((error: Error) => void) | undefined
}

export class Plugin {
  readonly spec: PluginSpec
  readonly vmKey: string
  readonly counts: PluginCounts
  readonly pool: VmPool
  readonly #fallback: Plugin | undefined
  readonly #notStarted: ((error: Error) => void) | undefined
  #root: RootContext | undefined
  #lastError: LoadError | Error | undefined
  #retryAt = 0
  #startedAt = 0
  #failures = 0
  /** Its last vm has failed, and none has started since. */
  #down = false
  /** A trap later on is none of this. */
  #refusal: Error | undefined
  #starting = false
  #retired = false
  #lastUse = 0

  /**
   * @param vmKey - of `spec` (`vmKey()`), worked out once per snapshot
   * @param fallback - what happens when it does not start
   */
  constructor(spec: PluginSpec, vmKey: string, pool: VmPool, fallback: PluginFallback = {}) {
    this.spec = spec
    this.vmKey = vmKey
    this.pool = pool
    // what runs beside a plugin to be compared with it is not the plugin's doing
    this.counts = this.#isCompared ? pluginCounts() : pool.countsOf(spec.name)
    this.#fallback = fallback.plugin
    this.#notStarted = fallback.notStarted
  }

  get state(): PluginState {
    if (this.#retired) return 'retired'
    if (this.#root?.vm.alive) return 'running'
    const standIn = this.#refusal && this.#fallback
    if (standIn !== undefined && standIn.state !== 'failed') return 'last-good'
    return this.#lastError === undefined ? 'idle' : 'failed'
  }

  /** Milliseconds of the monotonic clock before which it is not started again. */
  get retryAtMs(): number {
    return this.#retryAt
  }

  /** Why it last failed, if it ever did. */
  get lastError(): Error | undefined {
    return this.#lastError
  }

  /** Why it did not start, if that is what happened when it was tried last. */
  get refusal(): Error | undefined {
    return this.#refusal
  }

  /** Grows with each stream: which of two plugins was used last. */
  get lastUse(): number {
    return this.#lastUse
  }

  /** `module.name` of the imports that nobody knows here; each answers Unimplemented. Known once it has run. */
  get unknownImports(): readonly string[] {
    return Array.from(this.#root?.vm.unknownImports ?? [])
  }

  /** Streams that run through the current root context. */
  get streams(): number {
    return this.#root?.streams ?? 0
  }

  /**
   * The root context for a new stream: the running one, or a new one if none runs and the back-off has
   * passed. Runs what is due in it first (ticks, abandoned callouts).
   * @returns undefined when the plugin cannot run now
   */
  acquire(): RootContext | undefined {
    const root = this.#root
    if (root !== undefined && root.vm.alive) {
      root.turn()
      if (root.vm.alive) {
        this.#lastUse = this.pool.nextUse()
        return root
      }
    }
    if (this.pool.now() < this.#retryAt) {
      this.counts.backoffs++
      return this.#lastGood()
    }
    try {
      return this.start()
    } catch (error) {
      this.pool.ports.log.log({
        level: LogLevel.Error,
        message: describeError(error),
        plugin: this.spec.name,
        rootId: this.spec.rootId,
        vmId: this.spec.vmId,
        contextId: 0,
      })
      this.#notStarted?.(error as Error)
      return this.#lastGood()
    }
  }

  /** A stream has come to it, of which a budget for failing open is a share. */
  come(): void {
    const { counts } = this
    if (this.spec.failOpenBudget !== undefined) {
      ;(counts.minute ??= new FailOpenMinute()).come(this.pool.now())
    }
  }

  /** One more stream goes on without it, if its budget has room for that. @returns whether it does */
  failOpen(): boolean {
    const { counts } = this
    const { failOpenBudget, logOnly } = this.spec
    if (failOpenBudget !== undefined && !counts.minute?.take(failOpenBudget)) {
      counts.overBudget++
      return false
    }
    if (logOnly === undefined) counts.failedOpen++
    return true
  }

  /** Whether anybody hears what it decides. */
  get tells(): boolean {
    const { decisions, logOnly } = this.spec
    return !this.#isCompared && (decisions !== undefined || logOnly !== undefined)
  }

  get #isCompared(): boolean {
    const { logOnly } = this.spec
    return logOnly?.callouts === 'replay' || logOnly?.compared === true
  }

  /** It has decided something about a stream; to be called where it `tells`. */
  decided(decision: Decision, { info, requestHeaders, io }: Chain): void {
    const { spec, counts } = this
    if (spec.logOnly !== undefined) {
      counts.wouldBe[decision.class] = (counts.wouldBe[decision.class] ?? 0) + 1
    }
    if (spec.decisions === undefined) return
    this.pool.ports.decisions.decided({
      ...decision,
      plugin: spec,
      info,
      request: requestHeaders,
      io,
    })
  }

  /** Stands in for a version that does not start, not for one that has started and trapped. */
  #lastGood(): RootContext | undefined {
    return this.#refusal === undefined ? undefined : this.#fallback?.acquire()
  }

  /**
   * Starts the plugin if it does not run: a vm unless a shared one runs, then the root context.
   * @returns its root context
   * @throws LoadError when the module does not start or the plugin refuses its configuration
   */
  start(): RootContext {
    if (this.#root?.vm.alive) return this.#root
    this.#starting = true
    try {
      this.#startedAt = this.pool.now()
      const vm = this.pool.open(this)
      const root = new RootContext(vm, this.spec, this.pool.ticks, () => this.#gone(root))
      this.#root = root
      root.start()
      if (this.#down) this.counts.reloads++
      this.#down = false
      this.#refusal = undefined
      this.#fallback?.sleep()
      // a stream that was planned before the plugin was retired: the root goes with its last stream
      if (this.#retired) root.retireAfterStreams()
      this.#lastUse = this.pool.nextUse()
      this.pool.used(this)
      return root
    } catch (error) {
      if (this.#root) this.#discard(this.#root)
      this.counts.failedStarts++
      this.#refusal = error instanceof Error ? error : new Error(String(error))
      this.#failed(this.#refusal)
      throw this.#refusal
    } finally {
      this.#starting = false
    }
  }

  /**
   * Hands something to the guest unasked: `proxy_on_foreign_function` in its root context.
   * @param io - the request in which it happens
   * @returns whether the plugin runs
   */
  callForeign(functionId: number, data: Uint8Array<ArrayBuffer>, io: IoContext): boolean {
    const root = runIn(io, () => this.acquire())
    root?.callForeign(functionId, data, io)
    return root !== undefined
  }

  /** No new streams: the running root context ends when its last stream has. */
  retire(): void {
    this.#retired = true
    this.pool.unused(this)
    this.#root?.retire()
    if (this.#root !== undefined) this.pool.drains(this.#root)
    this.#fallback?.retire()
  }

  /** Gives its vm back while nothing runs through it; the next stream starts another. @returns whether it did */
  sleep(): boolean {
    const root = this.#root
    if (root === undefined || root.streams > 0) return false
    this.pool.unused(this)
    this.#root = undefined
    root.retire()
    return true
  }

  /** The guest refused: its root context must not be told of ticks, queues and calls. */
  #discard(root: RootContext): void {
    this.#root = undefined
    root.discard()
    this.pool.release(root.vm)
  }

  /** The root context was deleted after retiring, or its vm has trapped. */
  #gone(root: RootContext): void {
    const { failure } = root.vm
    if (failure !== undefined) this.counts.traps++
    if (failure !== undefined && this.#root === root && !this.#starting) this.#failed(failure)
    if (this.#root === root) {
      this.#root = undefined
      this.pool.unused(this)
    }
    this.pool.drained(root)
    this.pool.release(root.vm)
  }

  #failed(error: Error): void {
    this.#lastError = error
    this.#down = true
    const now = this.pool.now()
    const jitter = 1 + this.#random() / 2
    if (this.spec.failStrategy === 'FAIL_RELOAD') {
      // as in Envoy, from the last start: a vm that ran for a while is replaced at once
      this.#retryAt = this.#startedAt + BACKOFF_MS * jitter
      return
    }
    if (now - this.#startedAt > STABLE_MS) this.#failures = 0
    const base = Math.min(BACKOFF_MS * 2 ** this.#failures, BACKOFF_MAX_MS)
    this.#failures++
    this.#retryAt = now + base * jitter
  }

  #random(): number {
    const byte = new Uint8Array(1)
    this.pool.ports.random.fill(byte)
    return (byte[0] as number) / 256
  }
}
