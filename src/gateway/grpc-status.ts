/**
 * How a gRPC call ended, from what HTTP shows of it.
 * @see https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
 */
import type { ByteString, HeaderLines } from '../proxy-wasm/index.ts'

export const GrpcStatus = {
  Ok: 0,
  Unknown: 2,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  Unauthenticated: 16,
} as const

const FROM_HTTP: Readonly<Record<number, number>> = {
  400: GrpcStatus.Internal,
  401: GrpcStatus.Unauthenticated,
  403: GrpcStatus.PermissionDenied,
  404: GrpcStatus.Unimplemented,
  429: GrpcStatus.Unavailable,
  502: GrpcStatus.Unavailable,
  503: GrpcStatus.Unavailable,
  504: GrpcStatus.Unavailable,
}

/** @returns the status of a call whose answer was no gRPC */
export function grpcStatusOfHttp(status: number): number {
  return FROM_HTTP[status] ?? GrpcStatus.Unknown
}

/** @returns what the trailers say, or undefined when they have no (numeric) `grpc-status` */
export function grpcStatusOf(
  trailers: HeaderLines,
): { readonly status: number; readonly message: ByteString } | undefined {
  const find = (name: string): ByteString | undefined => {
    for (let i = 0; i < trailers.length; i += 2) if (trailers[i] === name) return trailers[i + 1]
    return undefined
  }
  const status = find('grpc-status')
  if (status === undefined || !/^\d{1,9}$/.test(status)) return undefined
  return { status: Number(status), message: percentDecoded(find('grpc-message') ?? '') }
}

/** Bytes that are no `%xx` stay as they are. */
function percentDecoded(text: ByteString): ByteString {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
