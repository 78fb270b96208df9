/**
 * Foreign functions: named extras of the host.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#foreign-function-interface
 */
import { Status } from '../abi/enums.ts'
import { encodeProperty } from '../memory/property-values.ts'
import type { ForeignCaller } from '../ports.ts'
import { runningIo } from '../stream/io-context.ts'
import { PropertyPath } from '../stream/property-path.ts'
import type { Context } from '../vm/context.ts'
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
      const called = vm.services.foreignFunctions.find(name)
      if (called === undefined) return Status.NotFound
      const result = called(args, callerOf(vm.context)) ?? EMPTY
      const failed = 'status' in result
      // both out pointers may be 0: the caller does not want the result
      if (addressOut === 0 || sizeOut === 0) return failed ? result.status : Status.Ok
      const returned = vm.memory.returnBytes(failed ? EMPTY : result, addressOut, sizeOut)
      return failed && returned === Status.Ok ? result.status : returned
    },
  }
}

function callerOf(context: Context): ForeignCaller {
  const { root } = context
  const io = runningIo()
  return {
    plugin: root.spec.name,
    root,
    property(path) {
      const value = context.property(new PropertyPath(path))
      return value === undefined ? undefined : encodeProperty(value)
    },
    declareProperty: (name, declaration) => context.declareProperty(name, declaration),
    setFilterState: (key, value) => context.setFilterState(key, value),
    clearRouteCache: () => context.clearRouteCache(),
    callBack: (functionId, data) => root.callForeign(functionId, data, io),
    waitUntil: (promise) => io.waitUntil(promise),
  }
}
