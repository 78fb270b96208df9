/**
 * gRPC callouts.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#grpc-calls
 */
import { LogLevel, Status } from '../abi/enums.ts'
import { bytesToText } from '../memory/byte-string.ts'
import { readPairs } from '../memory/pairs.ts'
import { upstreamOfGrpcService } from '../memory/grpc-service.ts'
import type { GrpcCall } from '../ports.ts'
import { GrpcCallouts } from '../vm/grpc-callouts.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

const NO_MESSAGE: Uint8Array<ArrayBuffer> = new Uint8Array(0)

/** The AssemblyScript SDK declares both without initial metadata: two arguments less. */
const CALL_WITHOUT_METADATA = 10
const STREAM_WITHOUT_METADATA = 7
const NONE = [0, 0]

/**
 * Statuses of a start: `ParseFailure` for an upstream that is not declared (as in Envoy) and for malformed
 * metadata, `InternalFailure` when the call cannot be started, `InvalidMemoryAccess` for bytes outside of
 * memory. Of the others: `NotFound` for a token that is not pending, or of an HTTP call (Envoy:
 * `BadArgument`, on which Rust panics); `BadArgument` for a message to a unary call or a second message.
 */
export function grpcCallFunctions(vm: Vm): HostFunctions {
  const grpc = new GrpcCallouts(vm)

  /** @returns what the first eight arguments say, or the status to answer */
  const read = (args: readonly number[]): Omit<GrpcCall, 'message' | 'timeoutMs'> | Status => {
    const { memory } = vm
    const [upstreamAt = 0, upstreamSize = 0, serviceAt = 0, serviceSize = 0] = args
    const [methodAt = 0, methodSize = 0, metadataAt = 0, metadataSize = 0] = args.slice(4)
    const upstream = memory.view(upstreamAt, upstreamSize)
    const service = memory.text(serviceAt, serviceSize)
    const method = memory.text(methodAt, methodSize)
    const pairs = memory.view(metadataAt, metadataSize)
    if (!upstream || service === undefined || method === undefined || !pairs) {
      return Status.InvalidMemoryAccess
    }
    const metadata = readPairs(pairs)
    if (metadata === undefined) {
      vm.logHost(LogLevel.Warn, 'a gRPC callout has malformed initial metadata')
      return Status.ParseFailure
    }
    const plugin = vm.context.root.spec.name
    const name = bytesToText(upstream)
    const declared = vm.ports.grpcCalls.declares(plugin, name)
    const found = declared ? name : (upstreamOfGrpcService(upstream) ?? name)
    return { plugin, upstream: found, service, method, metadata }
  }

  /** The token's place is tried first: a call must not be under way whose token cannot be told. */
  const start = (
    tokenOut: number,
    make: () => { readonly token: number } | { readonly status: Status },
  ): Status => {
    if (!vm.memory.setUint32(tokenOut, 0)) return Status.InvalidMemoryAccess
    const started = make()
    if (!('token' in started)) return started.status
    vm.memory.setUint32(tokenOut, started.token)
    return Status.Ok
  }

  return {
    proxy_grpc_call(...given) {
      const args = given.length === CALL_WITHOUT_METADATA ? given.toSpliced(6, 0, ...NONE) : given
      const [messageAt = 0, messageSize = 0, timeoutMs = 0, tokenOut = 0] = args.slice(8)
      const call = read(args)
      if (typeof call === 'number') return call
      const message = vm.memory.copy(messageAt, messageSize)
      if (message === undefined) return Status.InvalidMemoryAccess
      return start(tokenOut, () =>
        grpc.call(vm.context, { ...call, message, timeoutMs: timeoutMs >>> 0 }),
      )
    },

    proxy_grpc_stream(...given) {
      const args = given.length === STREAM_WITHOUT_METADATA ? given.toSpliced(6, 0, ...NONE) : given
      const [tokenOut = 0] = args.slice(8)
      const call = read(args)
      if (typeof call === 'number') return call
      return start(tokenOut, () =>
        grpc.stream(vm.context, { ...call, message: NO_MESSAGE, timeoutMs: 0 }),
      )
    },

    proxy_grpc_send(token, messageAt, messageSize, endOfStream) {
      const message = vm.memory.copy(messageAt, messageSize)
      if (message === undefined) return Status.InvalidMemoryAccess
      return grpc.send(token >>> 0, message, endOfStream !== 0)
    },

    proxy_grpc_cancel: (token) => grpc.cancel(token >>> 0),

    proxy_grpc_close: (token) => grpc.close(token >>> 0),
  }
}
