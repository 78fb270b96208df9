/**
 * Logging and the clock.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#logging
 */
import { LogLevel, Status } from '../abi/enums.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

/** Statuses: `BadArgument` for a level above critical, `InvalidMemoryAccess` for bytes outside of memory. */
export function logAndTimeFunctions(vm: Vm): HostFunctions {
  return {
    proxy_log(level, address, size) {
      if (level >>> 0 > LogLevel.Critical) return Status.BadArgument
      if (level < vm.ports.log.level) return Status.Ok
      const message = vm.memory.text(address, size)
      if (message === undefined) return Status.InvalidMemoryAccess
      vm.logGuest(level as LogLevel, message)
      return Status.Ok
    },

    proxy_get_log_level: (levelOut) =>
      vm.memory.setUint32(levelOut, vm.services.log.level) ? Status.Ok : Status.InvalidMemoryAccess,

    proxy_get_current_time_nanoseconds: (timeOut) =>
      vm.memory.setUint64(timeOut, vm.services.clock.realtime())
        ? Status.Ok
        : Status.InvalidMemoryAccess,
  }
}
