/**
 * Header maps. Unmarshal, ask the context, marshal, answer a status: what a map means in a phase is
 * the context's business.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#http-fields
 */
import { LogLevel, MapType, Status } from '../abi/enums.ts'
import type { ByteString } from '../ports.ts'
import { pairsSize, readPairs, writePairs } from '../memory/pairs.ts'
import type { HeaderMap } from '../stream/header-map.ts'
import { missingHeaderIsEmpty } from '../vm/guest-callbacks.ts'
import type { Vm } from '../vm/vm.ts'
import { caught } from './caught.ts'
import type { HostFunctions } from './link.ts'

/**
 * Statuses: `BadArgument` for an unknown map type, `InvalidMemoryAccess` for bytes outside of memory,
 * `NotFound` for a header (or a whole map) that is not there. A request's `host` is its `:authority`, as
 * in Envoy. An edit that can reach nobody any more is
 * `Ok` with a warning: the Rust SDK panics on anything else (docs/HOST_DIFFERENCES.md).
 */
export function headerFunctions(vm: Vm): HostFunctions {
  const isMapType = (type: number): type is MapType =>
    type >>> 0 <= MapType.HttpCallResponseTrailers

  /** A header's name in a map of that type, lower-case. */
  const headerName = (type: number, address: number, size: number): ByteString | undefined => {
    const name = vm.memory.headerName(address, size)
    return name && nameIn(type, name)
  }

  /** What is answered where a map cannot be changed; explains itself in the log. */
  const refuse = (type: number, what: string): Status => {
    if (type >>> 0 >= MapType.GrpcReceiveInitialMetadata) return Status.BadArgument
    vm.logHost(
      LogLevel.Warn,
      `${what} has no effect: those headers cannot be changed in this phase`,
    )
    return Status.Ok
  }
  const editable = (type: number): HeaderMap | undefined =>
    isMapType(type) ? vm.context.editableHeaderMap(type) : undefined

  return {
    /** In bytes of names and values, as Envoy counts; 0.2.1 leaves the unit open. */
    proxy_get_header_map_size(type, sizeOut) {
      if (!isMapType(type)) return Status.BadArgument
      const map = vm.context.headerMap(type)
      if (map === undefined) return Status.BadArgument
      return vm.memory.setUint32(sizeOut, map.byteSize) ? Status.Ok : Status.InvalidMemoryAccess
    },

    proxy_get_header_map_pairs(type, addressOut, sizeOut) {
      if (!isMapType(type)) return Status.BadArgument
      // a copy: the guest's allocator, which runs before they are written, may edit the map
      const lines = vm.context.headerMap(type)?.lines.slice() ?? []
      const size = lines.length === 0 ? 0 : pairsSize(lines)
      return vm.memory.returnWritten(
        size,
        (target) => writePairs(lines, target),
        addressOut,
        sizeOut,
      )
    },

    proxy_set_header_map_pairs(type, address, size) {
      if (!isMapType(type)) return Status.BadArgument
      const bytes = vm.memory.view(address, size)
      if (bytes === undefined) return Status.InvalidMemoryAccess
      const lines = readPairs(bytes)
      // Envoy takes malformed pairs for none and so wipes the map: here the map stays as it is
      if (lines === undefined) return Status.BadArgument
      if (type === MapType.HttpRequestHeaders) renameHost(lines)
      const map = editable(type)
      if (map === undefined) return refuse(type, 'proxy_set_header_map_pairs')
      map.setAll(lines)
      return Status.Ok
    },

    proxy_get_header_map_value(type, nameAt, nameSize, addressOut, sizeOut) {
      try {
        if (!isMapType(type)) return Status.BadArgument
        const { memory } = vm
        const named = memory.literal(nameAt, nameSize)
        if (named === undefined) return Status.InvalidMemoryAccess
        const value = vm.context.headerMap(type)?.get(nameIn(type, named.headerName))
        if (value !== undefined) return memory.returnByteString(value, addressOut, sizeOut, named)
        return missingHeaderIsEmpty(vm.abi)
          ? memory.returnByteString('', addressOut, sizeOut)
          : Status.NotFound
      } catch (error) {
        return caught(vm, 'proxy_get_header_map_value', error)
      }
    },

    proxy_add_header_map_value(type, nameAt, nameSize, valueAt, valueSize) {
      const name = headerName(type, nameAt, nameSize)
      const value = vm.memory.value(valueAt, valueSize)
      if (name === undefined || value === undefined) return Status.InvalidMemoryAccess
      const map = editable(type)
      if (map === undefined) return refuse(type, 'proxy_add_header_map_value')
      map.add(name, value)
      return Status.Ok
    },

    proxy_replace_header_map_value(type, nameAt, nameSize, valueAt, valueSize) {
      const name = headerName(type, nameAt, nameSize)
      const value = vm.memory.value(valueAt, valueSize)
      if (name === undefined || value === undefined) return Status.InvalidMemoryAccess
      const map = editable(type)
      if (map === undefined) return refuse(type, 'proxy_replace_header_map_value')
      map.replace(name, value)
      return Status.Ok
    },

    proxy_remove_header_map_value(type, nameAt, nameSize) {
      const name = headerName(type, nameAt, nameSize)
      if (name === undefined) return Status.InvalidMemoryAccess
      const map = editable(type)
      if (map === undefined) return refuse(type, 'proxy_remove_header_map_value')
      map.remove(name)
      return Status.Ok
    },
  }
}

/** A request's `host` is its `:authority`. */
function nameIn(type: number, name: ByteString): ByteString {
  return type === MapType.HttpRequestHeaders && name === 'host' ? ':authority' : name
}

function renameHost(lines: ByteString[]): void {
  for (let i = 0; i < lines.length; i += 2) {
    if (lines[i]?.toLowerCase() === 'host') lines[i] = ':authority'
  }
}
