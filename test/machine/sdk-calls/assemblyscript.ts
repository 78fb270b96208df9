/**
 * Every host call of the AssemblyScript SDK (`@gcoredev/proxy-wasm-sdk-as`; its `runtime.ts`): how its
 * recorder makes it. What it imports and wraps in nothing (gRPC, closing streams) a plugin cannot call.
 * @see https://github.com/G-Core/proxy-wasm-sdk-as
 */
import type { SdkCall } from './sdk-call.ts'

/** ABI 0.2.1. */
export const ASSEMBLYSCRIPT: readonly SdkCall[] = [
  ['log', 'fd_write', 'logged through WASI'],
  ['logLevel', 'proxy_get_log_level', 'log level'],
  ['get_status', 'proxy_get_status', 'status'],
  ['set_tick_period_milliseconds', 'proxy_set_tick_period_milliseconds', 'tick'],
  ['get_current_time_nanoseconds', 'proxy_get_current_time_nanoseconds', 'time'],
  ['get_property', 'proxy_get_property', 'property'],
  ['set_property', 'proxy_set_property', 'set property'],
  ['continue_request', 'proxy_continue_stream', 'resume'],
  ['continue_response', 'proxy_continue_stream', 'resume, response'],
  ['send_local_response', 'proxy_send_local_response', 'reply of gRPC'],
  ['send_http_response', 'proxy_send_local_response', 'reply'],
  ['clear_route_cache', 'proxy_clear_route_cache', 'clear routes'],
  ['get_shared_data', 'proxy_get_shared_data', 'shared data'],
  ['set_shared_data', 'proxy_set_shared_data', 'shared data, swapped', 'shared data, stale'],
  ['register_shared_queue', 'proxy_register_shared_queue', 'queue'],
  ['resolve_shared_queue', 'proxy_resolve_shared_queue', 'queue'],
  ['enqueue_shared_queue', 'proxy_enqueue_shared_queue', 'queue'],
  ['dequeue_shared_queue', 'proxy_dequeue_shared_queue', 'queue'],
  ['stream_context…get', 'proxy_get_header_map_value', 'get', 'get, response', 'get, trailers'],
  ['stream_context…get (of a call)', 'proxy_get_header_map_value', 'call'],
  ['stream_context…add', 'proxy_add_header_map_value', 'add', 'add, response'],
  ['stream_context…replace', 'proxy_replace_header_map_value', 'set', 'set, response'],
  ['stream_context…remove', 'proxy_remove_header_map_value', 'remove', 'remove, response'],
  ['stream_context…get_headers', 'proxy_get_header_map_pairs', 'pairs', 'pairs, response'],
  ['stream_context…get_headers (trailers)', 'proxy_get_header_map_pairs', 'pairs, trailers'],
  ['stream_context…get_headers (of a call)', 'proxy_get_header_map_pairs', 'call trailers'],
  ['stream_context…set_headers', 'proxy_set_header_map_pairs', 'set pairs', 'edit, trailers'],
  ['get_header_map_size', 'proxy_get_header_map_size', 'map size'],
  ['get_buffer_bytes', 'proxy_get_buffer_bytes', 'body', 'body, response', 'data of TCP'],
  ['get_buffer_bytes (configurations)', 'proxy_get_buffer_bytes', 'plugin configuration'],
  ['get_buffer_bytes (of the vm)', 'proxy_get_buffer_bytes', 'vm configuration'],
  ['set_buffer_bytes', 'proxy_set_buffer_bytes', 'replace body', 'prepend body', 'append body'],
  ['get_buffer_status', 'proxy_get_buffer_status', 'body status'],
  ['Counter.increment', 'proxy_increment_metric', 'count, not read'],
  ['Gauge.record', 'proxy_record_metric', 'gauge, not read'],
  ['Gauge.increment', 'proxy_increment_metric', 'gauge, not read'],
  ['Histogram.record', 'proxy_record_metric', 'observe'],
  ['Histogram.increment', 'proxy_increment_metric', 'histogram, incremented'],
  ['define_metric', 'proxy_define_metric', 'metrics by number'],
  ['increment_metric', 'proxy_increment_metric', 'metrics by number'],
  // get_metric calls this, too
  ['record_metric, get_metric', 'proxy_record_metric', 'metrics by number'],
  ['done', 'proxy_done', 'done, when nothing waits'],
  ['proxy_set_effective_context', 'proxy_set_effective_context', 'another context, AssemblyScript'],
  ['Context.setEffectiveContext', 'proxy_set_effective_context', 'own context'],
  ['BaseContext.continueRequest', 'proxy_continue_stream', 'own context'],
  ['RootContext.httpCall', 'proxy_http_call', 'call'],
  ['RootContext.cancelPendingRequests', 'proxy_http_call', 'calls given up'],
  ['call_foreign_function', 'proxy_call_foreign_function', 'foreign'],
]
