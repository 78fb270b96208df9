/**
 * What every host function may answer, and where it has an effect: the promise that the conformance tests
 * and the fuzzing hold the host to. Data for tests and documentation; nothing that runs imports it.
 *
 * `InternalFailure` is besides what any function answers that the plugin's capabilities do not allow.
 */
import { Status } from './enums.ts'

export interface HostAnswer {
  readonly statuses: readonly (keyof typeof Status)[]
  /** The callbacks in which it does something; elsewhere it answers all the same. */
  readonly phases: string
}

type Row = readonly [name: string, phases: string, ...statuses: readonly (keyof typeof Status)[]]

const ANY = 'any'
const BODY = 'headers and body callbacks, and while a body is held'
const READ =
  'maps 0 and 2: from the headers callback to the end; 4–7: in the callback of their reply'
const EDIT = 'until those headers have been sent on'
const STREAM = 'any, on a stream context that has not ended'
const REQUEST = 'any callback that runs in a request'
const MEMORY = 'InvalidMemoryAccess'

const ROWS: readonly Row[] = [
  ['proxy_log', 'any, start functions too', 'Ok', 'BadArgument', MEMORY],
  ['proxy_get_log_level', ANY, 'Ok', MEMORY],
  ['proxy_get_current_time_nanoseconds', ANY, 'Ok', MEMORY],
  ['proxy_set_tick_period_milliseconds', ANY, 'Ok'],
  ['proxy_set_effective_context', ANY, 'Ok', 'BadArgument'],
  ['proxy_done', 'after on_done of a root has answered false', 'Ok', 'NotFound'],
  ['proxy_get_buffer_bytes', BODY, 'Ok', 'NotFound', 'BadArgument', MEMORY],
  ['proxy_set_buffer_bytes', BODY, 'Ok', 'NotFound', 'BadArgument', MEMORY],
  ['proxy_get_buffer_status', BODY, 'Ok', 'NotFound', 'BadArgument', MEMORY],
  ['proxy_get_configuration', ANY, 'Ok', MEMORY],
  ['proxy_get_header_map_size', READ, 'Ok', 'BadArgument', MEMORY],
  ['proxy_get_header_map_pairs', READ, 'Ok', 'BadArgument', MEMORY],
  ['proxy_set_header_map_pairs', EDIT, 'Ok', 'BadArgument', MEMORY],
  ['proxy_get_header_map_value', READ, 'Ok', 'NotFound', 'BadArgument', MEMORY],
  ['proxy_add_header_map_value', EDIT, 'Ok', 'BadArgument', MEMORY],
  ['proxy_replace_header_map_value', EDIT, 'Ok', 'BadArgument', MEMORY],
  ['proxy_remove_header_map_value', EDIT, 'Ok', 'BadArgument', MEMORY],
  ['proxy_get_property', ANY, 'Ok', 'NotFound', MEMORY],
  ['proxy_set_property', STREAM, 'Ok', 'BadArgument', MEMORY],
  ['proxy_continue_stream', STREAM, 'Ok', 'BadArgument', 'Unimplemented'],
  ['proxy_close_stream', STREAM, 'Ok', 'BadArgument'],
  ['proxy_continue_request', STREAM, 'Ok'],
  ['proxy_continue_response', STREAM, 'Ok'],
  ['proxy_clear_route_cache', 'until the request has been sent', 'Ok'],
  ['proxy_send_local_response', STREAM, 'Ok', MEMORY],
  ['proxy_http_call', REQUEST, 'Ok', 'BadArgument', 'InternalFailure', MEMORY],
  ['proxy_grpc_call', REQUEST, 'Ok', 'ParseFailure', 'InternalFailure', MEMORY],
  ['proxy_grpc_stream', REQUEST, 'Ok', 'ParseFailure', 'InternalFailure', MEMORY],
  ['proxy_grpc_send', REQUEST, 'Ok', 'NotFound', 'BadArgument', MEMORY],
  ['proxy_grpc_cancel', ANY, 'Ok', 'NotFound'],
  ['proxy_grpc_close', ANY, 'Ok', 'NotFound'],
  ['proxy_get_status', 'the callback that tells a failure', 'Ok', MEMORY],
  ['proxy_set_shared_data', ANY, 'Ok', 'CasMismatch', MEMORY],
  ['proxy_get_shared_data', ANY, 'Ok', 'NotFound', MEMORY],
  ['proxy_register_shared_queue', ANY, 'Ok', MEMORY],
  ['proxy_resolve_shared_queue', ANY, 'Ok', 'NotFound', MEMORY],
  ['proxy_enqueue_shared_queue', ANY, 'Ok', 'NotFound', MEMORY],
  ['proxy_dequeue_shared_queue', ANY, 'Ok', 'NotFound', 'Empty', MEMORY],
  ['proxy_define_metric', ANY, 'Ok', 'BadArgument', MEMORY],
  ['proxy_increment_metric', ANY, 'Ok', 'NotFound', 'BadArgument'],
  ['proxy_record_metric', ANY, 'Ok', 'NotFound'],
  ['proxy_get_metric', ANY, 'Ok', 'NotFound', 'BadArgument', MEMORY],
  [
    'proxy_call_foreign_function',
    ANY,
    'Ok',
    'NotFound',
    'BadArgument',
    'SerializationFailure',
    'InternalFailure',
    MEMORY,
  ],
  ['envoy_resolve_dns', 'none', 'Unimplemented'],
  ['proxy_redis_init', 'none', 'Unimplemented'],
  ['proxy_redis_call', 'none', 'Unimplemented'],
  ['proxy_get_upstream_hosts', 'none', 'Unimplemented'],
  ['proxy_set_upstream_override_host', 'none', 'Unimplemented'],
  ['proxy_inject_encoded_data_to_filter_chain', 'none', 'Unimplemented'],
  // no statuses: these answer numbers of their own, or nothing
  ['pthread_equal', ANY],
  ['emscripten_notify_memory_growth', ANY],
  ['abort', 'any; ends the vm'],
]

/** By the function's name. */
export const HOST_ANSWERS: ReadonlyMap<string, HostAnswer> = new Map(
  ROWS.map(([name, phases, ...statuses]) => [name, { phases, statuses }]),
)

/** @returns whether a status is among those that a function may answer */
export function mayAnswer(name: string, status: number): boolean {
  return HOST_ANSWERS.get(name)?.statuses.some((one) => Status[one] === status) ?? false
}
