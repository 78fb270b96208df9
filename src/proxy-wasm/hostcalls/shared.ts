/**
 * State shared between vms: data with compare-and-swap, queues, metrics.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#shared-key-value-store
 */
import { MetricType, Status } from '../abi/enums.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

/** Statuses: `NotFound` for no such key, `CasMismatch`, `InvalidMemoryAccess` for bytes outside of memory. */
export function sharedDataFunctions(vm: Vm): HostFunctions {
  return {
    proxy_get_shared_data(keyAt, keySize, addressOut, sizeOut, casOut) {
      const key = vm.memory.byteString(keyAt, keySize)
      if (key === undefined) return Status.InvalidMemoryAccess
      const found = vm.ports.sharedData.get(vm.vmId, key)
      if (found === undefined) return Status.NotFound
      const status = vm.memory.returnBytes(found.value, addressOut, sizeOut)
      if (status !== Status.Ok) return status
      return vm.memory.setUint32(casOut, found.cas) ? Status.Ok : Status.InvalidMemoryAccess
    },

    proxy_set_shared_data(keyAt, keySize, valueAt, valueSize, cas) {
      const key = vm.memory.byteString(keyAt, keySize)
      const value = vm.memory.copy(valueAt, valueSize)
      if (key === undefined || value === undefined) return Status.InvalidMemoryAccess
      return vm.ports.sharedData.set(vm.vmId, key, value, cas >>> 0)
    },
  }
}

/** Statuses: `NotFound` for no such queue, `Empty`, `InvalidMemoryAccess` for bytes outside of memory. */
export function sharedQueueFunctions(vm: Vm): HostFunctions {
  return {
    proxy_register_shared_queue(nameAt, nameSize, idOut) {
      const name = vm.memory.byteString(nameAt, nameSize)
      if (name === undefined) return Status.InvalidMemoryAccess
      const id = vm.ports.sharedQueues.register(vm.vmId, name, vm.context.root.queueListener)
      return vm.memory.setUint32(idOut, id) ? Status.Ok : Status.InvalidMemoryAccess
    },

    proxy_resolve_shared_queue(vmIdAt, vmIdSize, nameAt, nameSize, idOut) {
      const vmId = vm.memory.text(vmIdAt, vmIdSize)
      const name = vm.memory.byteString(nameAt, nameSize)
      if (vmId === undefined || name === undefined) return Status.InvalidMemoryAccess
      const id = vm.ports.sharedQueues.resolve(vmId === '' ? vm.vmId : vmId, name)
      if (id === undefined) return Status.NotFound
      return vm.memory.setUint32(idOut, id) ? Status.Ok : Status.InvalidMemoryAccess
    },

    proxy_enqueue_shared_queue(queueId, dataAt, dataSize) {
      const data = vm.memory.copy(dataAt, dataSize)
      if (data === undefined) return Status.InvalidMemoryAccess
      return vm.ports.sharedQueues.enqueue(queueId >>> 0, data)
    },

    proxy_dequeue_shared_queue(queueId, addressOut, sizeOut) {
      const next = vm.ports.sharedQueues.dequeue(queueId >>> 0)
      return 'item' in next
        ? vm.memory.returnBytes(next.item, addressOut, sizeOut)
        : next.status
    },
  }
}

/** Statuses: `BadArgument` for no metric type and as the port says, `NotFound` for no such metric. */
export function metricFunctions(vm: Vm): HostFunctions {
  return {
    proxy_define_metric(type, nameAt, nameSize, idOut) {
      if (type >>> 0 > MetricType.Histogram) return Status.BadArgument
      const name = vm.memory.text(nameAt, nameSize)
      if (name === undefined) return Status.InvalidMemoryAccess
      const id = vm.ports.metrics.define(type as MetricType, name)
      return vm.memory.setUint32(idOut, id) ? Status.Ok : Status.InvalidMemoryAccess
    },

    proxy_increment_metric: (id, delta) =>
      vm.ports.metrics.increment(id >>> 0, BigInt(delta as unknown as bigint)),

    proxy_record_metric: (id, value) =>
      vm.ports.metrics.record(id >>> 0, BigInt.asUintN(64, value as unknown as bigint)),

    proxy_get_metric(id, valueOut) {
      const found = vm.ports.metrics.get(id >>> 0)
      if (!('value' in found)) return found.status
      return vm.memory.setUint64(valueOut, BigInt.asUintN(64, found.value))
        ? Status.Ok
        : Status.InvalidMemoryAccess
    },
  }
}

/** Statuses: `NotFound` for a function nobody registered, else what it answers. */
export function foreignFunctions(vm: Vm): HostFunctions {
  return {
    proxy_call_foreign_function(nameAt, nameSize, argsAt, argsSize, addressOut, sizeOut) {
      const name = vm.memory.text(nameAt, nameSize)
      const args = vm.memory.copy(argsAt, argsSize)
      if (name === undefined || args === undefined) return Status.InvalidMemoryAccess
      const called = vm.ports.foreignFunctions.find(name)
      if (called === undefined) return Status.NotFound
      const result = called(args)
      if (result !== undefined && 'status' in result) return result.status
      // both out pointers may be 0: the caller does not want the result
      if (addressOut === 0 || sizeOut === 0) return Status.Ok
      return vm.memory.returnBytes(result ?? EMPTY, addressOut, sizeOut)
    },
  }
}
