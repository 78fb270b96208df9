/**
 * Clocks, randomness, environment variables and the process: the WASI calls that give a guest
 * something. Guests get no arguments and cannot end anything but themselves.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#environment-variables
 */
import { LogLevel } from '../abi/enums.ts'
import { textToBytes } from '../memory/byte-string.ts'
import { Errno, type WasiFunctions, type WasiHost } from './wasi-host.ts'
import { viewOf, writeUint32, writeUint64 } from './wasi-memory.ts'

const REALTIME = 0
const MONOTONIC = 1

/** What `Random.fill` takes at once, and the reference host's bound. */
const MAX_RANDOM = 65_536

const answer = (written: boolean): number => (written ? Errno.Success : Errno.Fault)

/** `Fault` for bytes outside of memory, `NotSupported` for other clocks, `Invalid` for too much randomness. */
export function environmentFunctions(host: WasiHost): WasiFunctions {
  const variables = host.environment.map(([name, value]) => textToBytes(`${name}=${value}\0`))
  const variablesSize = variables.reduce((size, variable) => size + variable.length, 0)

  const writeSizes = (countOut: number, sizeOut: number, count: number, size: number): number => {
    const memory = host.memory()
    return answer(writeUint32(memory, countOut, count) && writeUint32(memory, sizeOut, size))
  }

  return {
    clock_time_get(id: number, _precision: bigint, timeOut: number) {
      if (id !== REALTIME && id !== MONOTONIC) return Errno.NotSupported
      const now = id === REALTIME ? host.clock.realtime() : host.clock.monotonic()
      return answer(writeUint64(host.memory(), timeOut, now))
    },

    clock_res_get(id: number, resolutionOut: number) {
      if (id !== REALTIME && id !== MONOTONIC) return Errno.NotSupported
      return answer(writeUint64(host.memory(), resolutionOut, 1n))
    },

    random_get(address: number, size: number) {
      if (size >>> 0 > MAX_RANDOM) return Errno.Invalid
      if (size === 0) return Errno.Success
      const target = viewOf(host.memory(), address, size)
      if (target === undefined) return Errno.Fault
      try {
        host.random.fill(target)
      } catch {
        // a Worker has no randomness outside of a request; a guest can be told so, a throw would end it
        return Errno.InputOutput
      }
      return Errno.Success
    },

    environ_sizes_get: (countOut: number, sizeOut: number) =>
      writeSizes(countOut, sizeOut, variables.length, variablesSize),

    environ_get(pointersOut: number, bufferOut: number) {
      const memory = host.memory()
      const buffer = viewOf(memory, bufferOut, variablesSize)
      if (buffer === undefined || !viewOf(memory, pointersOut, variables.length * 4)) {
        return Errno.Fault
      }
      let at = 0
      for (const [index, variable] of variables.entries()) {
        writeUint32(memory, (pointersOut >>> 0) + index * 4, (bufferOut >>> 0) + at)
        buffer.set(variable, at)
        at += variable.length
      }
      return Errno.Success
    },

    args_sizes_get: (countOut: number, sizeOut: number) => writeSizes(countOut, sizeOut, 0, 0),
    args_get: () => Errno.Success,

    // no event ever: Go's scheduler polls while it is idle and needs success (cpp-host#497)
    poll_oneoff: (_in: number, _out: number, _count: number, eventsOut: number) =>
      answer(writeUint32(host.memory(), eventsOut, 0)),

    sched_yield: () => Errno.Success,

    // returns as in the reference host; compilers put a trap behind the call
    proc_exit(code: number) {
      host.log(LogLevel.Error, `the plugin called proc_exit(${code})`)
      return undefined
    },
  }
}
