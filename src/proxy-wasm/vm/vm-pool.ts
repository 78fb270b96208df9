/**
 * The vms of one isolate, by vm key. A vm is made when the first plugin of its key starts and closed
 * when the last root context in it has gone; one that has trapped is replaced, never entered again.
 */
import type { Ports } from '../ports.ts'
import type { Plugin } from './plugin.ts'
import { Strand } from './strand.ts'
import { Vm } from './vm.ts'

interface PooledVm {
  readonly vm: Vm
  roots: number
}

export class VmPool {
  readonly ports: Ports
  /** One for all vms: a guest is never entered while any guest runs. */
  readonly strand: Strand = new Strand()
  readonly #byKey = new Map<string, PooledVm>()
  readonly #all = new Set<PooledVm>()

  constructor(ports: Ports) {
    this.ports = ports
  }

  /** Number of vms that have not been closed, those that drain included. */
  get size(): number {
    return this.#all.size
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
   * The vm for a plugin's new root context.
   * @throws LoadError when the module does not link or start
   */
  open(plugin: Plugin): Vm {
    const { spec, vmKey } = plugin
    const running = this.#byKey.get(vmKey)
    if (running?.vm.alive) {
      running.roots++
      return running.vm
    }
    const pooled: PooledVm = { vm: new Vm(vmKey, spec, this.ports, this.strand), roots: 1 }
    this.#byKey.set(vmKey, pooled)
    this.#all.add(pooled)
    return pooled.vm
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
