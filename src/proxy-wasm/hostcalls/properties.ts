/**
 * Properties: Envoy's attributes and what plugins set for each other.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#properties
 */
import { LogLevel, Status } from '../abi/enums.ts'
import type { Literal } from '../memory/literals.ts'
import { PropertyPath } from '../stream/property-path.ts'
import type { Vm } from '../vm/vm.ts'
import { caught } from './caught.ts'
import type { HostFunctions } from './link.ts'

/**
 * Statuses: `NotFound` for a path that names nothing (a whole namespace included: Envoy's
 * `SerializationFailure` panics in Rust's trait methods), `InvalidMemoryAccess` for bytes outside of memory,
 * `BadArgument` for setting once more what was declared read-only.
 */
export function propertyFunctions(vm: Vm): HostFunctions {
  return {
    proxy_get_property(pathAt, pathSize, addressOut, sizeOut) {
      try {
        const { memory } = vm
        const named = memory.literal(pathAt, pathSize)
        if (named === undefined) return Status.InvalidMemoryAccess
        const value = vm.context.property(pathOf(named))
        if (value === undefined) return Status.NotFound
        if (typeof value === 'string') {
          return memory.returnByteString(value, addressOut, sizeOut, named)
        }
        return typeof value === 'object'
          ? memory.returnBytes(value, addressOut, sizeOut)
          : memory.returnInt64(value, addressOut, sizeOut)
      } catch (error) {
        return caught(vm, 'proxy_get_property', error)
      }
    },

    proxy_set_property(pathAt, pathSize, valueAt, valueSize) {
      const named = vm.memory.literal(pathAt, pathSize)
      const value = vm.memory.copy(valueAt, valueSize)
      if (named === undefined || value === undefined) return Status.InvalidMemoryAccess
      const status = vm.context.setProperty(pathOf(named), value)
      if (status !== Status.NotFound) return status
      // Envoy answers NotFound on a root context; Rust would panic on it, so it is told and dropped
      vm.logHost(LogLevel.Warn, 'proxy_set_property has no effect: there is no stream to set it on')
      return Status.Ok
    },
  }
}

function pathOf(named: Literal): PropertyPath {
  return (named.path ??= PropertyPath.parse(named.text))
}
