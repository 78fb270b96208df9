/**
 * HTTP callouts.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#http-calls
 */
import { Status } from '../abi/enums.ts'
import { bytesToText } from '../memory/byte-string.ts'
import { readPairs } from '../memory/pairs.ts'
import { startHttpCall } from '../vm/http-callouts.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

/**
 * Statuses: `BadArgument` for an upstream that is not declared, a missing `:method`, `:path` or
 * `:authority`, malformed pairs or a negative timeout; `InternalFailure` when the call cannot be
 * started; `InvalidMemoryAccess` for bytes outside of memory.
 */
export function httpCallFunctions(vm: Vm): HostFunctions {
  return {
    proxy_http_call(
      upstreamAt,
      upstreamSize,
      headersAt,
      headersSize,
      bodyAt,
      bodySize,
      trailersAt,
      trailersSize,
      timeoutMs,
      tokenOut,
    ) {
      const { memory } = vm
      const upstream = memory.view(upstreamAt, upstreamSize)
      const headerPairs = memory.view(headersAt, headersSize)
      const body = memory.copy(bodyAt, bodySize)
      const trailerPairs = memory.view(trailersAt, trailersSize)
      // the token's place is tried first: a call must not be under way whose token cannot be told
      const writable = memory.setUint32(tokenOut, 0)
      if (!upstream || !headerPairs || !body || !trailerPairs || !writable) {
        return Status.InvalidMemoryAccess
      }
      const headers = readPairs(headerPairs)
      const trailers = readPairs(trailerPairs)
      if (headers === undefined || trailers === undefined || timeoutMs < 0)
        return Status.BadArgument
      const started = startHttpCall(vm, vm.context, {
        plugin: vm.context.root.spec.name,
        upstream: bytesToText(upstream),
        headers: headers.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text)),
        body,
        trailers,
        timeoutMs,
      })
      if (!('token' in started)) return started.status
      memory.setUint32(tokenOut, started.token)
      return Status.Ok
    },

    proxy_get_status(codeOut, messageAtOut, messageSizeOut) {
      const { code, message } = vm.callouts.lastStatus
      if (!vm.memory.setUint32(codeOut, code)) return Status.InvalidMemoryAccess
      return vm.memory.returnByteString(message, messageAtOut, messageSizeOut)
    },
  }
}
