/**
 * One instance of a module with its memory: links, starts, enters the guest, and ends at the first
 * trap. It knows contexts by id only; what they mean is theirs.
 */
import type { AbiVersion } from '../abi/enums.ts'
import { LogLevel } from '../abi/enums.ts'
import { describeError, GuestTrap, LoadError } from '../errors.ts'
import { countedMetrics } from '../hostcalls/counted.ts'
import { linkImports } from '../hostcalls/link.ts'
import type { WasiHost } from '../hostcalls/wasi.ts'
import { GuestMemory } from '../memory/guest-memory.ts'
import type { Ports } from '../ports.ts'
import type { GuestMetric, Tally } from '../stream/tally.ts'
import { Callouts } from './callouts.ts'
import type { Context } from './context.ts'
import { findAllocator, GuestCallbacks, type GuestFunction } from './guest-callbacks.ts'
import { LogLines } from './log-lines.ts'
import { type PluginCounts, pluginCounts } from './plugin-counts.ts'
import type { PluginSpec } from './plugin-spec.ts'
import type { Strand } from './strand.ts'

/** A context that hears when its vm has trapped. */
interface VmContext extends Context {
  vmFailed(): void
}

const CONTEXT_ID_MAX = 0xffff_ffff
/** An allocator may make host calls that allocate, but not for ever. */
const ALLOCATIONS_MAX = 8

/** Nothing can be read from it or written to it, so all vms may share it. */
const NO_MEMORY = new WebAssembly.Memory({ initial: 0, maximum: 0 })

export class Vm {
  readonly key: string
  readonly vmId: string
  readonly abi: AbiVersion
  readonly ports: Ports
  readonly strand: Strand
  readonly callouts: Callouts
  readonly memory: GuestMemory
  readonly callbacks: GuestCallbacks
  /** `module.name` of every import that was linked to a stub because nobody knows it. */
  readonly unknownImports: Set<string> = new Set<string>()
  /** Metrics that its guest has defined, by id; undefined where its host calls are not counted. */
  readonly definedMetrics: ReadonlyMap<number, GuestMetric> | undefined
  /** What WASI calls see of the vm. */
  readonly wasiHost: WasiHost
  /** While a root context is created and configured (0.1.0 has one call for both configurations). */
  configuring = false
  /** The last line that was logged for it. */
  said: string | undefined
  readonly #contexts = new Map<number, VmContext>()
  readonly #allowed: ReadonlySet<string> | undefined
  readonly #moduleName: string
  readonly #logLines: LogLines
  #nextContextId = 1
  #current: Context | undefined
  #effective: Context | undefined
  readonly #allocator: GuestFunction
  /** Allocations under way, one inside of another. */
  #allocations = 0
  #failure: GuestTrap | undefined
  #closed = false

  /**
   * Instantiates and starts (`_initialize`, `main`, `_start`). Must run inside a request on Workers:
   * at module scope the clock stands at 0 and there is no random.
   * @throws LoadError `module.link` or `plugin.start_failed`
   */
  constructor(
    key: string,
    spec: PluginSpec,
    ports: Ports,
    strand: Strand,
    countsOf: (plugin: string) => PluginCounts = pluginCounts,
  ) {
    const { module: loaded } = spec
    // where it cannot be had, that is the error, and not that it does not link
    const { module } = loaded
    this.key = key
    this.vmId = spec.vmId
    this.abi = loaded.abi
    this.ports = ports
    if (spec.counted) {
      const defined = new Map<number, GuestMetric>()
      this.definedMetrics = defined
      this.ports = { ...ports, metrics: countedMetrics(ports.metrics, this, defined) }
    }
    this.strand = strand
    this.#allowed = spec.allowedCapabilities
    this.#moduleName = spec.name
    this.#logLines = new LogLines(
      spec.limits.logLinesPerSecond,
      ports.clock,
      countsOf,
      (plugin, message) => {
        if (LogLevel.Warn >= ports.log.level) this.#write(LogLevel.Warn, message, plugin, undefined)
      },
    )
    this.callouts = new Callouts(this)
    this.wasiHost = {
      memory: () => this.memory.buffer,
      clock: ports.clock,
      random: ports.random,
      environment: spec.environment,
      log: (level, message) => this.#log(level, message, this.#current),
    }
    const imports = linkImports(this, loaded)
    // a start section runs before there are exports: it finds the memory it imports, else none
    this.memory = new GuestMemory(importedMemory(imports) ?? NO_MEMORY, this)
    let instance: WebAssembly.Instance
    try {
      instance = new WebAssembly.Instance(module, imports)
    } catch (error) {
      throw new LoadError('module.link', `${spec.name}: ${describeError(error)}`, { cause: error })
    }
    const { exports } = instance
    this.#allocator = findAllocator(exports) as GuestFunction
    this.memory = new GuestMemory(findMemory(exports, imports), this)
    this.callbacks = new GuestCallbacks(exports, spec.allowedCapabilities)
    this.#start(exports)
  }

  /** Why the vm ended, once it has trapped. */
  get failure(): GuestTrap | undefined {
    return this.#failure
  }

  /** Whether the guest may still be entered. */
  get alive(): boolean {
    return this.#failure === undefined && !this.#closed
  }

  /** Number of root and stream contexts. */
  get contextCount(): number {
    return this.#contexts.size
  }

  /** The context host calls act on. @throws GuestTrap while the module is being started: it has none yet */
  get context(): Context {
    const context = this.#effective ?? this.#current
    if (context === undefined) {
      throw new GuestTrap(
        'a proxy_* host call was made while the module was starting; only logging is allowed there',
      )
    }
    return context
  }

  /** Of the stream that host calls act on now, where somebody asks. */
  get tally(): Tally | undefined {
    return (this.#effective ?? this.#current)?.tally
  }

  /** The ports, for host calls beyond logging. @throws GuestTrap while the module is being started */
  get services(): Ports {
    void this.context
    return this.ports
  }

  /** Whether the plugin's capabilities allow a host function. */
  allows(name: string): boolean {
    return this.#allowed === undefined || this.#allowed.has(name)
  }

  /** A new context's id: unique in the vm while it is known, never 0. */
  takeContextId(): number {
    let id = this.#nextContextId
    while (this.#contexts.has(id)) id = id === CONTEXT_ID_MAX ? 1 : id + 1
    this.#nextContextId = id === CONTEXT_ID_MAX ? 1 : id + 1
    return id
  }

  addContext(context: VmContext): void {
    this.#contexts.set(context.id, context)
  }

  removeContext(context: Context): void {
    this.#contexts.delete(context.id)
  }

  /** `proxy_set_effective_context`: lasts until the guest call returns; 0 goes back to the current one. */
  setEffectiveContext(id: number): boolean {
    void this.context
    const context = id === 0 ? undefined : this.#contexts.get(id)
    if (id !== 0 && context === undefined) return false
    this.#effective = context
    return true
  }

  /**
   * Enters the guest. A trap ends the vm and answers 0: look at `alive` afterwards.
   * @param context - becomes the current context
   * @param callback - a guest function; arguments it does not take are dropped
   */
  enter(context: Context, callback: GuestFunction, a: number, b = 0, c = 0, d = 0, e = 0): number {
    if (!this.alive) return 0
    if (this.strand.busy) throw new Error('a guest was about to be entered while a guest runs')
    this.#current = context
    this.strand.enter()
    try {
      return callback(a, b, c, d, e) ?? 0
    } catch (error) {
      this.#fail(error)
      return 0
    } finally {
      this.#current = undefined
      this.#effective = undefined
      this.strand.leave()
    }
  }

  /** A line of the guest's own. */
  logGuest(level: LogLevel, message: string): void {
    this.#log(level, message, this.#effective ?? this.#current)
  }

  /** A line of the host's about this guest. */
  logHost(level: LogLevel, message: string, context: Context | undefined = this.#current): void {
    if (level >= this.ports.log.level) this.#log(level, message, context)
  }

  /** Ends the vm without a trap: nothing is delivered to it any more. */
  close(): void {
    this.#closed = true
    this.#logLines.end()
    this.callouts.cancelAll()
    this.#contexts.clear()
  }

  /** Ends the vm as a trap would: its streams follow the fail strategy of their plugins. */
  stop(reason: string): void {
    if (this.alive) this.#fail(new GuestTrap(reason))
  }

  #log(level: LogLevel, message: string, context: Context | undefined): void {
    const plugin = context?.root.spec.name ?? this.#moduleName
    if (this.#logLines.take(plugin)) this.#write(level, message, plugin, context)
  }

  /** Why a vm has ended is logged whatever else was. */
  #logTrap(reason: string): void {
    const plugin = this.#current?.root.spec.name ?? this.#moduleName
    this.#write(LogLevel.Critical, `the plugin trapped: ${reason}`, plugin, this.#current)
  }

  #write(level: LogLevel, message: string, plugin: string, context: Context | undefined): void {
    const root = context?.root
    this.said = message
    this.ports.log.log({
      level,
      message,
      plugin,
      rootId: root?.spec.rootId ?? '',
      vmId: this.vmId,
      contextId: context === undefined || context === root ? 0 : context.id,
    })
  }

  /**
   * Takes memory from the guest: the one call into it that nests, since a host call of the same guest is on the stack.
   * @throws GuestTrap when it traps, or calls back without end
   */
  allocate(size: number): number {
    if (this.#allocations === ALLOCATIONS_MAX) {
      throw new GuestTrap('its allocator makes host calls that allocate, without end')
    }
    // what the allocator makes effective is the allocation's, as in Envoy
    const effective = this.#effective
    this.#allocations++
    try {
      return this.#allocator(size) ?? 0
    } catch (error) {
      // whatever it was (a stack that overflowed is no RuntimeError): the guest cannot go on
      throw error instanceof GuestTrap
        ? error
        : new GuestTrap(describeError(error), { cause: error })
    } finally {
      this.#allocations--
      this.#effective = effective
    }
  }

  #start(exports: WebAssembly.Exports): void {
    const run = (name: string, ...args: number[]): boolean => {
      const start = exports[name]
      if (typeof start !== 'function') return false
      ;(start as GuestFunction)(...args)
      return true
    }
    this.strand.enter()
    try {
      if (run('_initialize')) {
        if (!run('main', 0, 0)) run('__main_void')
      } else run('_start')
    } catch (error) {
      throw new LoadError('plugin.start_failed', `${this.#moduleName}: ${describeError(error)}`, {
        cause: error,
      })
    } finally {
      this.strand.leave()
    }
  }

  #fail(error: unknown): void {
    this.#failure =
      error instanceof GuestTrap ? error : new GuestTrap(describeError(error), { cause: error })
    const stack = error instanceof Error ? (error.stack ?? '') : ''
    this.#logLines.end()
    this.#logTrap(`${this.#failure.message}\n${stack}`.trim())
    this.callouts.cancelAll()
    // a copy: what hears of it may close the vm
    for (const context of Array.from(this.#contexts.values())) context.vmFailed()
  }
}

function findMemory(
  exports: WebAssembly.Exports,
  imports: WebAssembly.Imports,
): WebAssembly.Memory {
  for (const candidate of Object.values(exports)) {
    if (candidate instanceof WebAssembly.Memory) return candidate
  }
  // a module without one can run, as in Envoy; nothing can be handed to it
  return importedMemory(imports) ?? NO_MEMORY
}

function importedMemory(imports: WebAssembly.Imports): WebAssembly.Memory | undefined {
  for (const module of Object.values(imports)) {
    for (const candidate of Object.values(module)) {
      if (candidate instanceof WebAssembly.Memory) return candidate
    }
  }
  return undefined
}
