/**
 * Where a gRPC callout goes when the guest gives no name: C++ plugins serialise Envoy's
 * `envoy.config.core.v3.GrpcService`.
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/grpc_service.proto
 */
import { protoBytes, protoText, readProto } from './protobuf.ts'

/** `GrpcService.envoy_grpc` and `GrpcService.EnvoyGrpc.cluster_name` */
const ENVOY_GRPC = 1
const CLUSTER_NAME = 1

/** @returns the cluster's name, or undefined when the bytes are no such message */
export function upstreamOfGrpcService(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  const service = protoBytes(readProto(bytes) ?? [], ENVOY_GRPC)
  const envoy = service && readProto(service)
  return (envoy && protoText(envoy, CLUSTER_NAME)) || undefined
}
