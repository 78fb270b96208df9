/**
 * Shared data with compare-and-swap, scoped by the vm id.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#shared-key-value-store
 */
import { Status } from '../abi/enums.ts'
import type { Vm } from '../vm/vm.ts'
import { caught } from './caught.ts'
import type { HostFunctions } from './link.ts'

/** Statuses: `NotFound` for no such key, `CasMismatch`, `InvalidMemoryAccess` for bytes outside of memory. */
export function sharedDataFunctions(vm: Vm): HostFunctions {
  return {
    proxy_get_shared_data(keyAt, keySize, addressOut, sizeOut, casOut) {
      try {
        const { memory } = vm
        const named = memory.literal(keyAt, keySize)
        if (named === undefined) return Status.InvalidMemoryAccess
        const found = vm.services.sharedData.get(vm.vmId, named.key)
        if (found === undefined) return Status.NotFound
        const status = memory.returnBytes(found.value, addressOut, sizeOut)
        if (status !== Status.Ok) return status
        return memory.setUint32(casOut, found.cas) ? Status.Ok : Status.InvalidMemoryAccess
      } catch (error) {
        return caught(vm, 'proxy_get_shared_data', error)
      }
    },

    proxy_set_shared_data(keyAt, keySize, valueAt, valueSize, cas) {
      const key = vm.memory.byteString(keyAt, keySize)
      const value = vm.memory.copy(valueAt, valueSize)
      if (key === undefined || value === undefined) return Status.InvalidMemoryAccess
      return vm.services.sharedData.set(vm.vmId, key, value, cas >>> 0)
    },
  }
}
