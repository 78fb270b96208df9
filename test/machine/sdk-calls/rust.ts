/**
 * Every host call of the Rust SDK (`proxy_wasm::hostcalls`): how its recorder makes it. The methods of the
 * SDK's traits are these with a map or a buffer filled in.
 * @see https://docs.rs/proxy-wasm/0.2.5/proxy_wasm/hostcalls/index.html
 */
import type { SdkCall } from './sdk-call.ts'

/** Calls that both generations have, and that mean the same. */
const BOTH: readonly SdkCall[] = [
  ['log', 'proxy_log', 'trace', 'debug', 'info', 'warn', 'error', 'critical'],
  ['get_current_time', 'proxy_get_current_time_nanoseconds', 'time'],
  ['set_tick_period', 'proxy_set_tick_period_milliseconds', 'tick'],
  ['get_buffer', 'proxy_get_buffer_bytes', 'body', 'body, response', 'data of TCP'],
  ['get_buffer (of a call)', 'proxy_get_buffer_bytes', 'call'],
  ['set_buffer', 'proxy_set_buffer_bytes', 'replace body', 'prepend body', 'append body'],
  ['set_buffer (response)', 'proxy_set_buffer_bytes', 'replace body, response'],
  ['get_map', 'proxy_get_header_map_pairs', 'pairs', 'pairs, response', 'pairs, trailers'],
  ['get_map (of a call)', 'proxy_get_header_map_pairs', 'call', 'call trailers'],
  ['get_map_bytes', 'proxy_get_header_map_pairs', 'pairs bytes', 'grpc stream, metadata'],
  ['set_map', 'proxy_set_header_map_pairs', 'set pairs', 'set pairs, response'],
  ['set_map_bytes', 'proxy_set_header_map_pairs', 'set pairs bytes'],
  ['get_map_value', 'proxy_get_header_map_value', 'get', 'get, response', 'get, trailers'],
  ['get_map_value (of a call)', 'proxy_get_header_map_value', 'call'],
  ['get_map_value_bytes', 'proxy_get_header_map_value', 'get bytes', 'grpc stream, metadata'],
  ['set_map_value', 'proxy_replace_header_map_value', 'set', 'set, response', 'edit, trailers'],
  ['set_map_value (to none)', 'proxy_remove_header_map_value', 'remove', 'remove, response'],
  ['set_map_value_bytes', 'proxy_replace_header_map_value', 'set bytes'],
  ['set_map_value_bytes (to none)', 'proxy_remove_header_map_value', 'remove bytes'],
  ['add_map_value', 'proxy_add_header_map_value', 'add', 'add, response'],
  ['add_map_value_bytes', 'proxy_add_header_map_value', 'add bytes'],
  ['get_property', 'proxy_get_property', 'property'],
  ['set_property', 'proxy_set_property', 'set property'],
  ['get_shared_data', 'proxy_get_shared_data', 'shared data'],
  ['set_shared_data', 'proxy_set_shared_data', 'shared data, swapped', 'shared data, stale'],
  ['register_shared_queue', 'proxy_register_shared_queue', 'queue'],
  ['resolve_shared_queue', 'proxy_resolve_shared_queue', 'queue'],
  ['enqueue_shared_queue', 'proxy_enqueue_shared_queue', 'queue'],
  ['dequeue_shared_queue', 'proxy_dequeue_shared_queue', 'queue'],
  ['send_http_response', 'proxy_send_local_response', 'reply'],
  ['dispatch_http_call', 'proxy_http_call', 'call'],
  ['dispatch_grpc_call', 'proxy_grpc_call', 'grpc call', 'grpc call, refused'],
  ['open_grpc_stream', 'proxy_grpc_stream', 'grpc stream'],
  ['send_grpc_stream_message', 'proxy_grpc_send', 'grpc stream', 'grpc stream, sent in parts'],
  ['cancel_grpc_call', 'proxy_grpc_cancel', 'grpc call, cancelled'],
  ['cancel_grpc_stream', 'proxy_grpc_cancel', 'grpc stream, cancelled'],
  ['close_grpc_stream', 'proxy_grpc_close', 'grpc stream, sent in parts'],
  ['get_grpc_status', 'proxy_get_status', 'grpc call that fails'],
  ['set_effective_context', 'proxy_set_effective_context', 'another context'],
  ['done', 'proxy_done', 'done later'],
  ['define_metric', 'proxy_define_metric', 'count', 'gauge', 'observe'],
  ['get_metric', 'proxy_get_metric', 'count', 'gauge'],
  ['record_metric', 'proxy_record_metric', 'gauge', 'observe'],
  ['increment_metric', 'proxy_increment_metric', 'count'],
]

/** `proxy-wasm` 0.2.5, ABI 0.2.1. */
export const RUST: readonly SdkCall[] = [
  ...BOTH,
  ['get_log_level', 'proxy_get_log_level', 'log level'],
  ['get_buffer (of configurations)', 'proxy_get_buffer_bytes', 'plugin configuration'],
  ['get_buffer (of the vm)', 'proxy_get_buffer_bytes', 'vm configuration'],
  ['get_buffer (of a foreign function)', 'proxy_get_buffer_bytes', 'foreign callback'],
  ['remove_map_value', 'proxy_remove_header_map_value', 'remove value'],
  ['resume_http_request', 'proxy_continue_stream', 'resume'],
  ['resume_http_response', 'proxy_continue_stream', 'resume, response'],
  ['resume_downstream', 'proxy_continue_stream', 'resume TCP'],
  ['resume_upstream', 'proxy_continue_stream', 'resume the upstream of TCP'],
  ['reset_http_request', 'proxy_close_stream', 'reset'],
  ['reset_http_response', 'proxy_close_stream', 'reset, response'],
  ['close_downstream', 'proxy_close_stream', 'close TCP'],
  ['close_upstream', 'proxy_close_stream', 'close TCP'],
  ['send_grpc_response', 'proxy_send_local_response', 'reply of gRPC'],
  ['call_foreign_function', 'proxy_call_foreign_function', 'foreign'],
]

/** `proxy-wasm` 0.1.4, ABI 0.1.0. */
export const RUST_0_1: readonly SdkCall[] = [
  ...BOTH,
  ['get_configuration', 'proxy_get_configuration', 'configuration'],
  ['resume_http_request', 'proxy_continue_request', 'resume'],
  ['resume_http_response', 'proxy_continue_response', 'resume, response'],
  ['clear_http_route_cache', 'proxy_clear_route_cache', 'clear routes'],
]
