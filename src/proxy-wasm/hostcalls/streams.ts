/**
 * What a guest does to its stream: go on, close it, answer it.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#http-streams
 */
import { LogLevel, Status, StreamType } from '../abi/enums.ts'
import { bytesToText } from '../memory/byte-string.ts'
import { readPairs } from '../memory/pairs.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

const GRPC_STATUS_MAX = 16

/** Statuses: always `Ok` for a stream of HTTP, `Unimplemented` for upstream TCP, `BadArgument` for no stream type. */
export function streamFunctions(vm: Vm): HostFunctions {
  const isStreamType = (type: number): type is StreamType => type >>> 0 <= StreamType.Upstream

  return {
    proxy_continue_stream: (type) =>
      isStreamType(type) ? vm.context.continueStream(type) : Status.BadArgument,

    proxy_close_stream: (type) =>
      isStreamType(type) ? vm.context.closeStream(type) : Status.BadArgument,

    /** 0.1.0 */
    proxy_continue_request: () => vm.context.continueStream(StreamType.HttpRequest),

    /** 0.1.0 */
    proxy_continue_response: () => vm.context.continueStream(StreamType.HttpResponse),

    /** 0.1.0 */
    proxy_clear_route_cache() {
      vm.context.clearRouteCache()
      return Status.Ok
    },

    proxy_send_local_response(
      status,
      detailsAt,
      detailsSize,
      bodyAt,
      bodySize,
      headersAt,
      headersSize,
      grpcStatus,
    ) {
      const details = vm.memory.view(detailsAt, detailsSize)
      const body = vm.memory.copy(bodyAt, bodySize)
      const pairs = vm.memory.view(headersAt, headersSize)
      if (details === undefined || body === undefined || pairs === undefined) {
        return Status.InvalidMemoryAccess
      }
      const headers = readPairs(pairs)
      if (headers === undefined) {
        vm.logHost(LogLevel.Warn, 'proxy_send_local_response: malformed header pairs are left out')
      }
      vm.context.sendLocalResponse({
        status: status >>> 0,
        details: bytesToText(details).replaceAll(/\s/g, '_'),
        headers: headers ?? [],
        body,
        grpcStatus: grpcStatus >= 0 && grpcStatus <= GRPC_STATUS_MAX ? grpcStatus : undefined,
      })
      return Status.Ok
    },
  }
}
