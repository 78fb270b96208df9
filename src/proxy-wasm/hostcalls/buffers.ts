/**
 * Buffers: bodies, callout replies, configurations.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#buffers
 */
import { BufferType, LogLevel, Status } from '../abi/enums.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

const READ_ONLY_FROM = BufferType.HttpCallResponseBody
const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

/** Bodies and streams are there in every phase, though mostly empty, as in Envoy. */
const ALWAYS_THERE: ReadonlySet<number> = new Set([
  BufferType.HttpRequestBody,
  BufferType.HttpResponseBody,
  BufferType.DownstreamData,
  BufferType.UpstreamData,
  BufferType.GrpcReceiveBuffer,
  BufferType.CallData,
])

/**
 * Statuses: `BadArgument` for an unknown or read-only buffer type, `NotFound` for a callout's reply or a
 * configuration that is not there in this phase, `InvalidMemoryAccess` for bytes outside of memory. A
 * start behind the end reads nothing and is `Ok`, as in Envoy.
 */
export function bufferFunctions(vm: Vm): HostFunctions {
  const isBufferType = (type: number): type is BufferType => type >>> 0 <= BufferType.CallData
  const find = (type: BufferType): Uint8Array<ArrayBuffer> | undefined =>
    vm.context.buffer(type) ?? (ALWAYS_THERE.has(type) ? EMPTY : undefined)

  return {
    proxy_get_buffer_bytes(type, start, maxSize, addressOut, sizeOut) {
      if (!isBufferType(type)) return Status.BadArgument
      const bytes = find(type)
      if (bytes === undefined) return Status.NotFound
      const from = Math.min(start >>> 0, bytes.length)
      // subarray clips an end behind the last byte; both are unsigned, so the sum cannot wrap
      const slice = bytes.subarray(from, from + (maxSize >>> 0))
      return vm.memory.returnBytes(slice, addressOut, sizeOut)
    },

    proxy_get_buffer_status(type, sizeOut, flagsOut) {
      if (!isBufferType(type)) return Status.BadArgument
      const bytes = find(type)
      if (bytes === undefined) return Status.NotFound
      const written = vm.memory.setUint32(sizeOut, bytes.length) && vm.memory.setUint32(flagsOut, 0)
      return written ? Status.Ok : Status.InvalidMemoryAccess
    },

    proxy_set_buffer_bytes(type, start, size, address, length) {
      if (!isBufferType(type)) return Status.BadArgument
      const data = vm.memory.copy(address, length)
      if (data === undefined) return Status.InvalidMemoryAccess
      const buffer = vm.context.editableBuffer(type)
      if (buffer !== undefined) {
        buffer.splice(start >>> 0, size >>> 0, data)
        return Status.Ok
      }
      if (type >= READ_ONLY_FROM) return find(type) ? Status.BadArgument : Status.NotFound
      vm.logHost(
        LogLevel.Warn,
        'proxy_set_buffer_bytes has no effect: no body is held in this phase',
      )
      return Status.Ok
    },

    /** 0.1.0: the plugin's configuration while it is being configured, else the vm's. */
    proxy_get_configuration(addressOut, sizeOut) {
      const type = vm.configuring ? BufferType.PluginConfiguration : BufferType.VmConfiguration
      const bytes = vm.context.buffer(type) ?? new Uint8Array(0)
      return vm.memory.returnBytes(bytes, addressOut, sizeOut)
    },
  }
}
