/**
 * One plugin's place in one stream: its context in the guest, what it holds in both directions, and
 * whether it still takes part. The name is Envoy's for the same thing.
 */
import { LogLevel } from '../abi/enums.ts'
import { CALLOUT_GRACE_MS } from '../limits.ts'
import type { GuestCallbacks, GuestFunction } from '../vm/guest-callbacks.ts'
import type { Plugin } from '../vm/plugin.ts'
import type { PluginSpec } from '../vm/plugin-spec.ts'
import type { RootContext } from '../vm/root-context.ts'
import type { Chain } from './chain.ts'
import { failDecision, replyDecision } from './decision.ts'
import type { Direction } from './effects.ts'
import { Flow } from './flow.ts'
import { failedReply, type LocalReply, overBudgetReply } from './local-reply.ts'
import { StreamContext } from './stream-context.ts'
import type { Tally } from './tally.ts'

export class Filter {
  readonly plugin: Plugin
  readonly spec: PluginSpec
  readonly request: Flow = new Flow()
  readonly response: Flow = new Flow()
  /** What it does in this stream, where somebody asks; to be set before the stream begins. */
  tally: Tally | undefined
  readonly #chain: Chain
  readonly #root: RootContext | undefined
  readonly #callbacks: GuestCallbacks | undefined
  #context: StreamContext | undefined
  #answer: LocalReply | 'failure' | undefined
  #bypassed = false
  #closed = false

  /** @param root - undefined when the plugin cannot run */
  constructor(chain: Chain, plugin: Plugin, root: RootContext | undefined) {
    this.plugin = plugin
    this.spec = plugin.spec
    this.#chain = chain
    this.#root = root
    this.#callbacks = this.#root?.vm.callbacks
    this.#root?.streamOpened()
  }

  /** The plugin's root context, or undefined when the plugin could not run when the stream began. */
  get root(): RootContext | undefined {
    return this.#root
  }

  /**
   * Milliseconds of the monotonic clock at which a paused stream must take a turn for its plugin's sake:
   * a callout is overdue, or a tick is due that may be what lets it go on.
   */
  get nextTurn(): number | undefined {
    const overdue = this.#root?.vm.callouts.nextDeadline
    const tick = this.#root?.nextTickMs
    if (overdue === undefined) return tick
    return Math.min(overdue + CALLOUT_GRACE_MS, tick ?? Number.POSITIVE_INFINITY)
  }

  /** Whether streams go on without it when it cannot run. */
  get failsOpen(): boolean {
    return this.spec.failStrategy === 'FAIL_OPEN' || this.spec.logOnly !== undefined
  }

  /** Whether it takes no part any more: its vm is gone. */
  get bypassed(): boolean {
    return this.#bypassed
  }

  /** Leaves it out from now on. */
  bypass(): void {
    this.#bypassed = true
  }

  /** What it has answered in place of an upstream, also where it did so by failing. */
  get answer(): LocalReply | 'failure' | undefined {
    return this.#answer
  }

  /** It answers the stream. */
  answers(reply: LocalReply): void {
    this.#answer = reply
    if (this.plugin.tells) this.plugin.decided(replyDecision(reply), this.#chain)
  }

  /** Its failure answers the stream. @returns in which words */
  failClosed(): LocalReply {
    this.#answer = 'failure'
    this.plugin.counts.failedClosed++
    return this.failsOpen ? overBudgetReply() : failedReply()
  }

  /** @param open - the stream goes on without it */
  tellFailure(open: boolean, reason: string | undefined): void {
    if (this.plugin.tells) this.plugin.decided(failDecision(this, open, reason), this.#chain)
  }

  /**
   * It has held the stream for as long as it may, and says so: nothing else in the log would.
   * @returns the reason, as decisions name it
   */
  heldTooLong(): string {
    const { failStrategy, limits } = this.spec
    const held = `${this.request.paused ? 'request' : 'response'} for ${limits.pauseMs} ms`
    this.#root?.vm.logHost(
      LogLevel.Error,
      `the plugin has held a ${held} (limits.pauseMs) without resuming or answering it: ${failStrategy}`,
      this.#context,
    )
    return 'limits.pauseMs'
  }

  /** Whether the guest can be called. */
  get alive(): boolean {
    return this.#root !== undefined && this.#root.vm.alive && !this.#closed
  }

  /** Whether the guest has seen this stream. */
  get created(): boolean {
    return this.#context !== undefined
  }

  flow(direction: Direction): Flow {
    return direction === 'request' ? this.request : this.response
  }

  /** Whether body bytes of a direction concern this plugin at all. */
  readsBody(direction: Direction): boolean {
    if (this.#bypassed) return false
    const callbacks = this.#callbacks
    if (callbacks === undefined) return false
    return direction === 'request'
      ? callbacks.requestBody !== undefined
      : callbacks.responseBody !== undefined
  }

  /** Calls the headers callback. @returns the guest's raw action */
  onHeaders(direction: Direction, count: number, endOfStream: boolean): number {
    const callbacks = this.#callbacks
    const flow = this.flow(direction)
    const callback =
      direction === 'request' ? callbacks?.requestHeaders : callbacks?.responseHeaders
    return this.#call(flow, callback, count, endOfStream)
  }

  /** Calls the body callback. @param size - bytes the guest can read now, earlier ones included */
  onBody(direction: Direction, size: number, endOfStream: boolean): number {
    const callbacks = this.#callbacks
    const flow = this.flow(direction)
    const callback = direction === 'request' ? callbacks?.requestBody : callbacks?.responseBody
    return this.#call(flow, callback, size, endOfStream)
  }

  #call(flow: Flow, callback: GuestFunction | undefined, amount: number, end: boolean): number {
    const context = this.open()
    if (callback === undefined || context === undefined) return 0
    flow.inCallback = true
    flow.resumeAsked = false
    const action = context.root.vm.enter(context, callback, context.id, amount, end ? 1 : 0)
    flow.inCallback = false
    return action
  }

  /** Makes the stream context in the guest if there is none yet. @returns nothing when the plugin cannot run */
  open(): StreamContext | undefined {
    if (this.#context !== undefined || this.#root === undefined) return this.#context
    const context = new StreamContext(this.#chain, this, this.#root)
    this.#context = context
    const create = this.#callbacks?.contextCreate
    if (create) this.#root.vm.enter(context, create, context.id, this.#root.id)
    return context
  }

  /** `on_log`: also for a stream that the guest has not seen, as Envoy's access log has it. */
  log(): void {
    const callback = this.#callbacks?.log
    if (callback === undefined || !this.alive) return
    const context = this.open()
    if (context && this.alive) context.root.vm.enter(context, callback, context.id)
    this.#tallyTrap()
  }

  /** `on_done` (whose answer counts for roots only), then `on_delete`: nothing reaches the guest afterwards. */
  close(): void {
    if (this.#closed) return
    const context = this.#context
    const callbacks = this.#callbacks
    if (context !== undefined && this.alive) {
      const { vm } = context.root
      if (callbacks?.done) vm.enter(context, callbacks.done, context.id)
      if (callbacks?.delete) vm.enter(context, callbacks.delete, context.id)
      this.#tallyTrap()
      vm.removeContext(context)
    }
    this.#closed = true
    this.#root?.streamClosed()
    this.tally?.end(this.#root?.vm.definedMetrics)
  }

  /** Behind the stream's end a trap is no failure of the stream any more, but one of the plugin. */
  #tallyTrap(): void {
    if (this.tally !== undefined && !this.alive) this.tally.failed = true
  }
}
