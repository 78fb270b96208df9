/**
 * Shared queues: registered by name under a vm id, used by id from any vm.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#shared-queues
 */
import { Status } from '../abi/enums.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

/** Statuses: `NotFound` for no such queue, `Empty`, `InvalidMemoryAccess` for bytes outside of memory. */
export function sharedQueueFunctions(vm: Vm): HostFunctions {
  return {
    proxy_register_shared_queue(nameAt, nameSize, idOut) {
      const name = vm.memory.byteString(nameAt, nameSize)
      if (name === undefined) return Status.InvalidMemoryAccess
      const id = vm.services.sharedQueues.register(vm.vmId, name, vm.context.root.queueListener)
      return vm.memory.setUint32(idOut, id) ? Status.Ok : Status.InvalidMemoryAccess
    },

    proxy_resolve_shared_queue(vmIdAt, vmIdSize, nameAt, nameSize, idOut) {
      const vmId = vm.memory.text(vmIdAt, vmIdSize)
      const name = vm.memory.byteString(nameAt, nameSize)
      if (vmId === undefined || name === undefined) return Status.InvalidMemoryAccess
      const id = vm.services.sharedQueues.resolve(vmId === '' ? vm.vmId : vmId, name)
      if (id === undefined) return Status.NotFound
      return vm.memory.setUint32(idOut, id) ? Status.Ok : Status.InvalidMemoryAccess
    },

    proxy_enqueue_shared_queue(queueId, dataAt, dataSize) {
      const data = vm.memory.copy(dataAt, dataSize)
      if (data === undefined) return Status.InvalidMemoryAccess
      return vm.services.sharedQueues.enqueue(queueId >>> 0, data)
    },

    proxy_dequeue_shared_queue(queueId, addressOut, sizeOut) {
      const next = vm.services.sharedQueues.dequeue(queueId >>> 0)
      return 'item' in next ? vm.memory.returnBytes(next.item, addressOut, sizeOut) : next.status
    },
  }
}
