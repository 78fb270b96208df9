/**
 * Properties: Envoy's attributes and what plugins set for each other.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#properties
 */
import { LogLevel, Status } from '../abi/enums.ts'
import { parsePath } from '../memory/property-values.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

/**
 * Statuses: `NotFound` for a path that names nothing (a whole namespace included: Envoy's
 * `SerializationFailure` panics in Rust's trait methods), `InvalidMemoryAccess` for bytes outside of memory,
 * `BadArgument` for setting once more what was declared read-only.
 */
export function propertyFunctions(vm: Vm): HostFunctions {
  return {
    proxy_get_property(pathAt, pathSize, addressOut, sizeOut) {
      const path = vm.memory.byteString(pathAt, pathSize)
      if (path === undefined) return Status.InvalidMemoryAccess
      const value = vm.context.property(parsePath(path))
      return value === undefined
        ? Status.NotFound
        : vm.memory.returnBytes(value, addressOut, sizeOut)
    },

    proxy_set_property(pathAt, pathSize, valueAt, valueSize) {
      const path = vm.memory.byteString(pathAt, pathSize)
      const value = vm.memory.copy(valueAt, valueSize)
      if (path === undefined || value === undefined) return Status.InvalidMemoryAccess
      const status = vm.context.setProperty(parsePath(path), value)
      if (status !== Status.NotFound) return status
      // Envoy answers NotFound on a root context; Rust would panic on it, so it is told and dropped
      vm.logHost(LogLevel.Warn, 'proxy_set_property has no effect: there is no stream to set it on')
      return Status.Ok
    },
  }
}
