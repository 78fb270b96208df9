/**
 * Envoy's `compress` and `uncompress`: zlib streams (RFC 1950), raw bytes in and out, nothing around them.
 * @see https://github.com/envoyproxy/envoy/blob/main/source/extensions/common/wasm/foreign.cc
 */
import { type ForeignFunction, Status } from '../proxy-wasm/index.ts'
import type { SyncZlib } from './platform.ts'

/** What a few bytes may become: an isolate has 128 MiB in all. */
const UNCOMPRESSED_MAX = 16 * 1024 * 1024

/** @returns the functions by name; what is no zlib stream, or too much, is `SerializationFailure` */
export function compressionFunctions(
  zlib: SyncZlib,
): Readonly<Record<'compress' | 'uncompress', ForeignFunction>> {
  const attempt = (work: () => Uint8Array): Uint8Array | { readonly status: Status } => {
    try {
      return work()
    } catch {
      return { status: Status.SerializationFailure }
    }
  }
  return {
    compress: (bytes) => attempt(() => zlib.deflateSync(bytes)),
    uncompress: (bytes) =>
      attempt(() => zlib.inflateSync(bytes, { maxOutputLength: UNCOMPRESSED_MAX })),
  }
}
