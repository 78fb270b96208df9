/**
 * Envoy's functions around properties: `declare_property`, `set_envoy_filter_state`, `clear_route_cache`.
 * All three spans (filter chain, request, connection) are the stream here: Fetch shows no connections.
 * @see https://github.com/envoyproxy/envoy/blob/main/source/extensions/common/wasm/ext/declare_property.proto
 */
import { type ForeignFunction, Status } from '../proxy-wasm/index.ts'
import { textToByteString } from '../proxy-wasm/memory/byte-string.ts'
import { protoBytes, protoNumber, protoText, readProto } from '../proxy-wasm/memory/protobuf.ts'

const BAD_ARGUMENT = { status: Status.BadArgument } as const
const NONE: Uint8Array = new Uint8Array(0)
const SPAN_MAX = 2
const TYPE_MAX = 3

/** DeclarePropertyArguments */
const DECLARE = { name: 1, readonly: 2, type: 3, span: 5 } as const
/** SetEnvoyFilterStateArguments */
const SET = { path: 1, value: 2, span: 3 } as const

/**
 * Objects of Envoy's filter state that are plain values. Those that steer Envoy's connections (SNI,
 * clusters of tcp_proxy, …) could do nothing here, so they are as unknown as in an Envoy without them.
 */
const PLAIN_OBJECTS: readonly string[] = ['envoy.string']

/**
 * @param objects - names that `set_envoy_filter_state` takes beside Envoy's plain ones
 * @returns the functions by name
 */
export function filterStateFunctions(
  objects: Iterable<string> = [],
): Readonly<
  Record<'declare_property' | 'set_envoy_filter_state' | 'clear_route_cache', ForeignFunction>
> {
  const known = new Set([...PLAIN_OBJECTS, ...objects])
  return {
    /** `BadArgument` for no such message and for a name declared before. */
    declare_property(args, caller) {
      const fields = readProto(args)
      if (fields === undefined || protoNumber(fields, DECLARE.span) > SPAN_MAX) return BAD_ARGUMENT
      if (protoNumber(fields, DECLARE.type) > TYPE_MAX) return BAD_ARGUMENT
      const name = textToByteString(protoText(fields, DECLARE.name))
      const readonly = protoNumber(fields, DECLARE.readonly) !== 0
      return { status: caller.declareProperty(name, { readonly }) }
    },

    /** `NotFound` for an object that nobody knows and without a stream, `BadArgument` for no such message. */
    set_envoy_filter_state(args, caller) {
      const fields = readProto(args)
      if (fields === undefined || protoNumber(fields, SET.span) > SPAN_MAX) return BAD_ARGUMENT
      const path = protoText(fields, SET.path)
      if (!known.has(path)) return { status: Status.NotFound }
      const value = protoBytes(fields, SET.value) ?? NONE
      return { status: caller.setFilterState(textToByteString(path), value) }
    },

    clear_route_cache(_args, caller) {
      caller.clearRouteCache()
      return undefined
    },
  }
}
