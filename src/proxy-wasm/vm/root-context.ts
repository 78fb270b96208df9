/**
 * The root context: one plugin in one vm. Starts and configures the guest, receives what belongs to no
 * stream (ticks, queues, callout replies), and goes when its streams have gone.
 */
import { BufferType, LogLevel, type MapType, Status, StreamType } from '../abi/enums.ts'
import { LoadError } from '../errors.ts'
import { ROOT_CALLOUTS_MAX } from '../limits.ts'
import type { PropertyValue } from '../memory/property-values.ts'
import type { ByteString, HeaderLines, PropertyDeclaration, QueueListener } from '../ports.ts'
import { pluginProperty } from '../stream/attributes.ts'
import type { BodyBuffer } from '../stream/body-buffer.ts'
import { HeaderMap } from '../stream/header-map.ts'
import { type IoContext, runIn, runningIo } from '../stream/io-context.ts'
import type { PropertyPath } from '../stream/property-path.ts'
import type { Context } from './context.ts'
import type { GuestFunction } from './guest-callbacks.ts'
import type { PluginSpec } from './plugin-spec.ts'
import type { Ticks } from './ticks.ts'
import type { Vm } from './vm.ts'

const NANOS_PER_MS = 1_000_000n

/** What a callback with an answer may read while it runs, and only then. */
export interface AnswerView {
  readonly maps?: Partial<Readonly<Record<MapType, HeaderLines>>>
  readonly buffer?: { readonly type: BufferType; readonly bytes: Uint8Array<ArrayBuffer> }
}

/** Of the last line that a guest logged before it refused. */
const SAID_MAX = 300

export class RootContext implements Context {
  readonly id: number
  readonly vm: Vm
  readonly spec: PluginSpec
  /** Registered with shared queues; only queues the callback, which runs when no guest does. */
  readonly queueListener: QueueListener
  #answer: AnswerView | undefined
  #declared: Map<ByteString, PropertyDeclaration> | undefined
  /** How many were begun in which request. */
  #callouts: WeakMap<IoContext, number> | undefined
  #tickPeriodMs = 0
  #nextTick = 0n
  #streams = 0
  #pendingDone = false
  #retired = false
  #deleted = false
  readonly #ticks: Ticks
  readonly #onGone: () => void

  /**
   * @param ticks - is told when the guest wants ticks
   * @param onGone - called once, when the context has been deleted in the guest or its vm has trapped
   */
  constructor(vm: Vm, spec: PluginSpec, ticks: Ticks, onGone: () => void) {
    this.vm = vm
    this.spec = spec
    this.id = vm.takeContextId()
    this.#ticks = ticks
    this.#onGone = onGone
    this.queueListener = (queueId) => vm.strand.post(() => this.#queueReady(queueId))
    vm.addContext(this)
  }

  get root(): RootContext {
    return this
  }

  /** What belongs to no stream is counted for none. */
  get tally(): undefined {
    return undefined
  }

  /** Number of stream contexts that are open. */
  get streams(): number {
    return this.#streams
  }

  /**
   * Creates, starts and configures the context. `on_vm_start` comes once for every root context of a
   * vm, with that root's id, as in Envoy.
   * @throws LoadError `plugin.vm_start_refused`, `plugin.configure_refused`, or `plugin.start_failed` for a trap
   */
  start(): void {
    const { vm, spec } = this
    const { contextCreate, vmStart, configure } = vm.callbacks
    vm.said = undefined
    vm.configuring = true
    if (contextCreate) vm.enter(this, contextCreate, this.id, 0)
    vm.configuring = false
    this.#check(1, 'plugin.start_failed', 'proxy_on_context_create')
    if (vmStart) {
      const accepted = vm.enter(this, vmStart, this.id, spec.vmConfiguration.length)
      this.#check(accepted, 'plugin.vm_start_refused', 'proxy_on_vm_start')
    }
    if (configure) {
      vm.configuring = true
      const accepted = vm.enter(this, configure, this.id, spec.configuration.length)
      vm.configuring = false
      this.#check(accepted, 'plugin.configure_refused', 'proxy_on_configure')
    }
  }

  #check(
    accepted: number,
    code: 'plugin.start_failed' | 'plugin.vm_start_refused' | 'plugin.configure_refused',
    callback: string,
  ): void {
    const { failure } = this.vm
    if (failure !== undefined) {
      throw new LoadError(
        'plugin.start_failed',
        `${this.spec.name} trapped in ${callback}: ${failure.message}`,
        { cause: failure },
      )
    }
    if (accepted === 0) {
      const why = this.vm.said?.slice(0, SAID_MAX) ?? 'its log says why'
      throw new LoadError(code, `${this.spec.name} answered false in ${callback}: ${why}`)
    }
  }

  streamOpened(): void {
    this.#streams++
  }

  streamClosed(): void {
    this.#streams--
    if (this.#retired && this.#streams === 0) this.vm.strand.post(() => this.#shutDown())
  }

  /** The plugin is no longer used: it ends as soon as its last stream has ended. */
  retire(): void {
    if (this.#retired) return
    this.#retired = true
    if (this.#streams === 0) this.vm.strand.post(() => this.#shutDown())
  }

  /** As `retire`, for a root context that is still to get its last stream. */
  retireAfterStreams(): void {
    this.#retired = true
  }

  /** `on_done`, then `on_delete`: at once, or when the guest says that it is done. */
  #shutDown(): void {
    const { vm } = this
    if (this.#deleted || this.#pendingDone || !vm.alive) return
    // set before the call: a guest that calls proxy_done in on_done itself would panic on NotFound
    this.#pendingDone = true
    const finished = vm.callbacks.done ? vm.enter(this, vm.callbacks.done, this.id) !== 0 : true
    if (finished) this.#delete()
  }

  #delete(): void {
    if (this.#deleted) return
    this.discard()
    this.#onGone()
  }

  /** Deletes the context in the guest and cuts it off from all that could still call it. */
  discard(): void {
    if (this.#deleted) return
    this.#deleted = true
    const { vm } = this
    if (vm.callbacks.delete) vm.enter(this, vm.callbacks.delete, this.id)
    this.#ticks.remove(this)
    vm.removeContext(this)
    vm.callouts.cancelOf(this)
    vm.ports.sharedQueues.release(this.queueListener)
  }

  vmFailed(): void {
    if (this.#deleted) return
    this.#deleted = true
    this.#ticks.remove(this)
    this.vm.ports.sharedQueues.release(this.queueListener)
    this.#onGone()
  }

  done(): Status {
    if (!this.#pendingDone) return Status.NotFound
    this.#pendingDone = false
    this.vm.strand.post(() => this.#delete())
    return Status.Ok
  }

  setTickPeriod(milliseconds: number): void {
    this.#tickPeriodMs = milliseconds
    this.#scheduleTick()
    if (this.nextTickMs === undefined || this.#deleted) this.#ticks.remove(this)
    else this.#ticks.add(this)
  }

  /** Makes the next tick due at `ms` of the monotonic clock, unless it is due before, or not wanted. */
  hastenTick(ms: number): void {
    const nanos = BigInt(ms) * NANOS_PER_MS
    if (nanos < this.#nextTick) this.#nextTick = nanos
  }

  #scheduleTick(): void {
    const { clock } = this.vm.ports
    this.#nextTick = clock.monotonic() + BigInt(this.#tickPeriodMs) * NANOS_PER_MS
  }

  /** Milliseconds of the monotonic clock at which the next tick is due, if the guest wants ticks. */
  get nextTickMs(): number | undefined {
    if (this.#tickPeriodMs === 0 || this.vm.callbacks.tick === undefined) return undefined
    return Number(this.#nextTick / NANOS_PER_MS)
  }

  /**
   * What is due before a turn's own callbacks: calls that were abandoned, then the tick. The period is
   * measured from the end of the last tick; missed ticks are not made up for.
   */
  turn(): void {
    const { vm } = this
    vm.callouts.reap()
    if (this.#tickPeriodMs === 0 || this.#deleted || vm.callbacks.tick === undefined) return
    if (vm.ports.clock.monotonic() < this.#nextTick) return
    vm.enter(this, vm.callbacks.tick, this.id)
    this.#scheduleTick()
  }

  #queueReady(queueId: number): void {
    const { queueReady } = this.vm.callbacks
    if (queueReady && !this.#deleted) this.vm.enter(this, queueReady, this.id, queueId)
  }

  /**
   * Calls back with what a callout or an embedder has for the guest. To be called when no guest runs.
   * @param view - what the callback may read
   * @param callback - takes this context's id first
   */
  deliver(
    view: AnswerView | undefined,
    callback: GuestFunction | undefined,
    a: number,
    b: number,
    c = 0,
    d = 0,
  ): void {
    if (callback === undefined || this.#deleted) return
    this.#answer = view
    this.vm.enter(this, callback, this.id, a, b, c, d)
    this.#answer = undefined
  }

  /**
   * `proxy_on_foreign_function`, now or when the guest that runs has returned.
   * @param io - the request in which it happens
   */
  callForeign(functionId: number, bytes: Uint8Array<ArrayBuffer>, io: IoContext): void {
    const { abi, callbacks, strand } = this.vm
    // Envoy looks it up for 0.2.x only
    const callback = abi === '0.1.0' ? undefined : callbacks.foreignFunction
    const view = { buffer: { type: BufferType.CallData, bytes } }
    strand.post(() => runIn(io, () => this.deliver(view, callback, functionId, bytes.length)))
  }

  headerMap(type: MapType): HeaderMap | undefined {
    const lines = this.#answer?.maps?.[type]
    return lines && new HeaderMap([...lines])
  }

  editableHeaderMap(_type: MapType): HeaderMap | undefined {
    return undefined
  }

  buffer(type: BufferType): Uint8Array<ArrayBuffer> | undefined {
    switch (type) {
      case BufferType.PluginConfiguration:
        return this.spec.configuration
      case BufferType.VmConfiguration:
        return this.spec.vmConfiguration
      default:
        return this.#answer?.buffer?.type === type ? this.#answer.buffer.bytes : undefined
    }
  }

  editableBuffer(_type: BufferType): BodyBuffer | undefined {
    return undefined
  }

  continueStream(type: StreamType): Status {
    return type === StreamType.Upstream ? Status.Unimplemented : Status.Ok
  }

  closeStream(_type: StreamType): Status {
    return Status.Ok
  }

  sendLocalResponse(): void {
    this.vm.logHost(
      LogLevel.Warn,
      'proxy_send_local_response has no effect on a root context: set the effective context first',
    )
  }

  clearRouteCache(): void {}

  property(path: PropertyPath): PropertyValue | undefined {
    return pluginProperty(this.spec, path.segments) ?? path.ofNode(this.vm.ports.node)
  }

  setProperty(): Status {
    return Status.NotFound
  }

  declareProperty(name: ByteString, declaration: PropertyDeclaration): Status {
    const declared = (this.#declared ??= new Map<ByteString, PropertyDeclaration>())
    if (declared.has(name)) return Status.BadArgument
    declared.set(name, declaration)
    return Status.Ok
  }

  /** What was declared of a property. */
  declaration(name: ByteString): PropertyDeclaration | undefined {
    return this.#declared?.get(name)
  }

  setFilterState(): Status {
    return Status.NotFound
  }

  refuseCallout(): string | undefined {
    const io = runningIo()
    const made = ((this.#callouts ??= new WeakMap()).get(io) ?? 0) + 1
    this.#callouts.set(io, made)
    if (made <= ROOT_CALLOUTS_MAX) return undefined
    return `the root context has made ${ROOT_CALLOUTS_MAX} calls in one request`
  }
}
