/**
 * Foreign functions: named extras of the host.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#foreign-function-interface
 */
import { Status } from '../abi/enums.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

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
