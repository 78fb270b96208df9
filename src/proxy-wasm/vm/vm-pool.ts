/**
 * The vms of one isolate, by vm key. A vm is made when the first plugin of its key starts and closed
 * when the last root context in it has gone; one that has trapped is replaced, never entered again.
 * Above the memory budget, plugins without streams lose their vm, the least recently used first.
 */
import { DRAIN_MS, VM_MEMORY_BYTES } from '../limits.ts'
import type { Ports } from '../ports.ts'
import type { Plugin } from './plugin.ts'
import { logOnlyPorts } from './log-only-ports.ts'
import { type PluginCounts, pluginCounts } from './plugin-counts.ts'
import type { PluginSpec } from './plugin-spec.ts'
import { rehearse } from './rehearsal.ts'
import type { RootContext } from './root-context.ts'
import { shadowPorts } from './shadow-ports.ts'
import { Strand } from './strand.ts'
import { Ticks } from './ticks.ts'
import { Vm } from './vm.ts'

interface PooledVm {
  readonly vm: Vm
  roots: number
}

export class VmPool {
  readonly ports: Ports
  /** One for all vms: a guest is never entered while any guest runs. */
  readonly strand: Strand = new Strand()
  readonly ticks: Ticks
  readonly #byKey = new Map<string, PooledVm>()
  readonly #all = new Set<PooledVm>()
  readonly #memoryBudget: number
  /** Plugins that run. */
  readonly #inUse = new Set<Plugin>()
  /** Made for the first log-only plugin. */
  #logOnly: ReturnType<typeof logOnlyPorts> | undefined
  /** Made for the first shadow. */
  #shadow: Ports | undefined
  /** Streams of log-only plugins that go on behind their requests. */
  lingering = 0
  /** Streams that are recorded for a shadow, and shadows that run. */
  shadows = 0
  #uses = 0
  #created = 0
  /** By plugin name; they outlive the plugins. */
  readonly #counts = new Map<string, PluginCounts>()
  /** Roots that wait for their last stream, and since when (milliseconds of the monotonic clock). */
  readonly #draining = new Map<RootContext, number>()

  /** @param memoryBudget - bytes of guest memory above which idle plugins lose their vm */
  constructor(ports: Ports, memoryBudget: number = VM_MEMORY_BYTES) {
    this.ports = ports
    this.ticks = new Ticks(ports)
    this.#memoryBudget = memoryBudget
  }

  /** Milliseconds of the monotonic clock. */
  now(): number {
    return Number(this.ports.clock.monotonic() / 1_000_000n)
  }

  /** Number of vms that have not been closed, those that drain included. */
  get size(): number {
    return this.#all.size
  }

  /** Number of vms that were ever made. */
  get created(): number {
    return this.#created
  }

  /** What has happened to each plugin, by its name. */
  get counts(): ReadonlyMap<string, PluginCounts> {
    return this.#counts
  }

  /** The counts of the plugins of one name. */
  countsOf(plugin: string): PluginCounts {
    let counts = this.#counts.get(plugin)
    if (counts === undefined) {
      counts = pluginCounts()
      this.#counts.set(plugin, counts)
    }
    return counts
  }

  /** Number of contexts in all vms. */
  get contexts(): number {
    let count = 0
    for (const { vm } of this.#all) count += vm.contextCount
    return count
  }

  /** Bytes of guest memory in all vms. */
  get memoryBytes(): number {
    let bytes = 0
    for (const { vm } of this.#all) bytes += vm.memory.byteLength
    return bytes
  }

  /**
   * The vm for a plugin's new root context. Where others run in it, the plugin is tried elsewhere first.
   * @throws LoadError when the module does not link or start, or would have trapped among others
   */
  open(plugin: Plugin): Vm {
    const { spec, vmKey } = plugin
    const running = this.#byKey.get(vmKey)
    if (running?.vm.alive) {
      rehearse(spec, this.#portsOf(spec), this.strand)
      running.roots++
      return running.vm
    }
    const countsOf = (name: string): PluginCounts =>
      name === spec.name ? plugin.counts : this.countsOf(name)
    const pooled: PooledVm = {
      vm: new Vm(vmKey, spec, this.#portsOf(spec), this.strand, countsOf),
      roots: 1,
    }
    this.#created++
    this.#byKey.set(vmKey, pooled)
    this.#all.add(pooled)
    this.#trim(plugin)
    return pooled.vm
  }

  #portsOf({ logOnly }: PluginSpec): Ports {
    if (logOnly === undefined) return this.ports
    if (logOnly.callouts === 'replay') return (this.#shadow ??= shadowPorts(this.ports))
    return (this.#logOnly ??= logOnlyPorts(this.ports))[logOnly.callouts]
  }

  /** A number above all that were given before: orders plugins by their last use. */
  nextUse(): number {
    return this.#uses++
  }

  /** The plugin has a vm now. */
  used(plugin: Plugin): void {
    this.#inUse.add(plugin)
  }

  /** The plugin has no vm any more. */
  unused(plugin: Plugin): void {
    this.#inUse.delete(plugin)
  }

  #trim(starting: Plugin): void {
    if (this.memoryBytes <= this.#memoryBudget) return
    const longestAgoFirst = Array.from(this.#inUse).sort((a, b) => a.lastUse - b.lastUse)
    for (const plugin of longestAgoFirst) {
      if (plugin !== starting && plugin.sleep() && this.memoryBytes <= this.#memoryBudget) return
    }
  }

  /** A retired root still has streams. */
  drains(root: RootContext): void {
    this.#draining.set(root, this.now())
  }

  drained(root: RootContext): void {
    this.#draining.delete(root)
  }

  /**
   * Ends what has drained for too long: the streams left follow their plugin's fail strategy. To be
   * called now and then, from any request.
   */
  sweep(): void {
    const latest = this.now() - DRAIN_MS
    for (const [root, since] of Array.from(this.#draining)) {
      if (since > latest) continue
      this.#draining.delete(root)
      root.vm.stop('it was replaced ten minutes ago and still had streams')
    }
  }

  /** A root context of the vm has gone; the last one takes the vm with it. */
  release(vm: Vm): void {
    for (const pooled of this.#all) {
      if (pooled.vm !== vm) continue
      pooled.roots--
      if (pooled.roots > 0 && vm.alive) return
      this.#all.delete(pooled)
      if (this.#byKey.get(vm.key) === pooled) this.#byKey.delete(vm.key)
      vm.close()
      return
    }
  }
}
