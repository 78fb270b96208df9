/**
 * gRPC callouts. Not working yet: every start answers InternalFailure, the status that all SDKs turn
 * into an error their plugin can handle; there is never a token, so the rest knows none.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#grpc-calls
 */
import { Status } from '../abi/enums.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

/** Statuses: `InternalFailure` for calls and streams, `NotFound` for any token. */
export function grpcCallFunctions(_vm: Vm): HostFunctions {
  return {
    proxy_grpc_call: () => Status.InternalFailure,
    proxy_grpc_stream: () => Status.InternalFailure,
    proxy_grpc_send: () => Status.NotFound,
    proxy_grpc_cancel: () => Status.NotFound,
    proxy_grpc_close: () => Status.NotFound,
  }
}
