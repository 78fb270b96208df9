/**
 * THE TABLE: every function that a guest may import from `env`, once. The inspector, the documentation
 * and the conformance list are derived from it; hostcalls/ has the code, one file per group.
 * WASI has a table of its own (wasi-functions.ts).
 */
import { ABI_VERSIONS, type AbiVersion } from './enums.ts'
import { i32, i64, type Param } from './signature.ts'

/** The section of the specification a function belongs to; `toolchain` and `vendor` are outside of it. */
export type HostFunctionGroup =
  | 'log'
  | 'time'
  | 'contexts'
  | 'buffers'
  | 'headers'
  | 'properties'
  | 'streams'
  | 'http-calls'
  | 'grpc-calls'
  | 'shared-data'
  | 'shared-queues'
  | 'metrics'
  | 'foreign'
  | 'status'
  | 'toolchain'
  | 'vendor'

/** `full`: does what the specification says. `answers`: links and says honestly that it cannot. */
export type HostFunctionSupport = 'full' | 'answers'

export interface HostFunctionRow {
  readonly module: 'env'
  readonly name: string
  readonly group: HostFunctionGroup
  readonly params: readonly Param[]
  /** What the reference host returns, and so what modules that run there declare. */
  readonly result: 'i32' | 'void'
  /** Where the specification's text says otherwise; modules with either link. */
  readonly specResult?: 'void'
  /** Versions whose specification has it; none for what is outside of the specification. */
  readonly versions: readonly AbiVersion[]
  readonly spec: string
  readonly support: HostFunctionSupport
  readonly note?: string
}

type Extra = Partial<Omit<HostFunctionRow, 'module' | 'name' | 'group' | 'params'>>

const SPEC = 'https://github.com/proxy-wasm/spec/tree/main/abi-versions'

function row(
  group: HostFunctionGroup,
  name: string,
  params: readonly Param[],
  extra: Extra = {},
): HostFunctionRow {
  const versions = extra.versions ?? ABI_VERSIONS
  const spec = `${SPEC}/v${versions.at(-1) ?? '0.2.1'}#${name}`
  return {
    module: 'env',
    name,
    group,
    params,
    result: 'i32',
    spec,
    support: 'full',
    ...extra,
    versions,
  }
}

const ONLY_0_1_0: readonly AbiVersion[] = ['0.1.0']
const FROM_0_2_0: readonly AbiVersion[] = ['0.2.0', '0.2.1']

const GRPC_WEB = 'As gRPC-Web. '

const HIGRESS: Extra = {
  versions: [],
  spec: 'https://github.com/higress-group/proxy-wasm-go-sdk',
  support: 'answers',
  note: 'Unimplemented: an extension of Higress',
}
const EMSCRIPTEN = 'https://github.com/emscripten-core/emscripten'
const PAIRS = i32('return_value_data', 'return_value_size')
const KEY = i32('key_data', 'key_size')
const VALUE = i32('value_data', 'value_size')

export const HOST_FUNCTIONS: readonly HostFunctionRow[] = [
  row('log', 'proxy_log', i32('log_level', 'message_data', 'message_size')),
  row('log', 'proxy_get_log_level', i32('return_log_level'), { versions: ['0.2.1'] }),

  row('time', 'proxy_get_current_time_nanoseconds', i32('return_time'), {
    note: 'Deprecated in favour of WASI clock_time_get; the Rust SDK still calls it',
  }),
  row('time', 'proxy_set_tick_period_milliseconds', i32('tick_period')),

  row('contexts', 'proxy_set_effective_context', i32('context_id')),
  row('contexts', 'proxy_done', []),

  row('buffers', 'proxy_get_buffer_bytes', [...i32('buffer_id', 'start', 'max_size'), ...PAIRS]),
  row('buffers', 'proxy_set_buffer_bytes', [...i32('buffer_id', 'start', 'size'), ...VALUE]),
  row('buffers', 'proxy_get_buffer_status', i32('buffer_id', 'return_size', 'return_flags')),
  row('buffers', 'proxy_get_configuration', PAIRS, {
    versions: ONLY_0_1_0,
    note: 'Later versions read the buffers VM_CONFIGURATION and PLUGIN_CONFIGURATION',
  }),

  row('headers', 'proxy_get_header_map_size', i32('map_id', 'return_serialized_pairs_size')),
  row('headers', 'proxy_get_header_map_pairs', [...i32('map_id'), ...PAIRS]),
  row('headers', 'proxy_set_header_map_pairs', [...i32('map_id'), ...VALUE]),
  row('headers', 'proxy_get_header_map_value', [...i32('map_id'), ...KEY, ...PAIRS], {
    note: 'A missing header is Ok and empty for 0.1.0, NotFound since',
  }),
  row('headers', 'proxy_add_header_map_value', [...i32('map_id'), ...KEY, ...VALUE]),
  row('headers', 'proxy_replace_header_map_value', [...i32('map_id'), ...KEY, ...VALUE]),
  row('headers', 'proxy_remove_header_map_value', [...i32('map_id'), ...KEY]),

  row('properties', 'proxy_get_property', [...i32('path_data', 'path_size'), ...PAIRS]),
  row('properties', 'proxy_set_property', [...i32('path_data', 'path_size'), ...VALUE]),

  row('streams', 'proxy_continue_stream', i32('stream_type'), { versions: FROM_0_2_0 }),
  row('streams', 'proxy_close_stream', i32('stream_type'), { versions: FROM_0_2_0 }),
  row('streams', 'proxy_continue_request', [], { versions: ONLY_0_1_0, specResult: 'void' }),
  row('streams', 'proxy_continue_response', [], { versions: ONLY_0_1_0, specResult: 'void' }),
  row('streams', 'proxy_clear_route_cache', [], {
    versions: ONLY_0_1_0,
    specResult: 'void',
    note: 'Envoy has a foreign function of this name for later versions',
  }),
  row(
    'streams',
    'proxy_send_local_response',
    i32(
      'status_code',
      'status_code_details_data',
      'status_code_details_size',
      'body_data',
      'body_size',
      'headers_data',
      'headers_size',
      'grpc_status',
    ),
  ),

  row(
    'http-calls',
    'proxy_http_call',
    i32(
      'upstream_name_data',
      'upstream_name_size',
      'headers_data',
      'headers_size',
      'body_data',
      'body_size',
      'trailers_data',
      'trailers_size',
      'timeout_milliseconds',
      'return_call_id',
    ),
  ),

  row(
    'grpc-calls',
    'proxy_grpc_call',
    i32(
      'upstream_name_data',
      'upstream_name_size',
      'service_name_data',
      'service_name_size',
      'method_name_data',
      'method_name_size',
      'initial_metadata_data',
      'initial_metadata_size',
      'message_data',
      'message_size',
      'timeout_milliseconds',
      'return_call_id',
    ),
    { note: `${GRPC_WEB}AssemblyScript's SDK declares 10 parameters, which work too` },
  ),
  row(
    'grpc-calls',
    'proxy_grpc_stream',
    i32(
      'upstream_name_data',
      'upstream_name_size',
      'service_name_data',
      'service_name_size',
      'method_name_data',
      'method_name_size',
      'initial_metadata_data',
      'initial_metadata_size',
      'return_stream_id',
    ),
    { note: `${GRPC_WEB}AssemblyScript's SDK declares 7 parameters, which work too` },
  ),
  row(
    'grpc-calls',
    'proxy_grpc_send',
    i32('stream_id', 'message_data', 'message_size', 'end_stream'),
    { note: 'One message per stream, all that gRPC-Web carries; a second one is BadArgument' },
  ),
  row('grpc-calls', 'proxy_grpc_cancel', i32('call_id')),
  row('grpc-calls', 'proxy_grpc_close', i32('call_id'), {
    note: 'Cancels a unary call, half-closes a stream, as in Envoy',
  }),

  row(
    'status',
    'proxy_get_status',
    i32('return_code', 'return_message_data', 'return_message_size'),
  ),

  row('shared-data', 'proxy_set_shared_data', [...KEY, ...VALUE, ...i32('cas')]),
  row('shared-data', 'proxy_get_shared_data', [...KEY, ...PAIRS, ...i32('return_cas')]),

  row('shared-queues', 'proxy_register_shared_queue', i32('name_data', 'name_size', 'return_id')),
  row(
    'shared-queues',
    'proxy_resolve_shared_queue',
    i32('vm_id_data', 'vm_id_size', 'name_data', 'name_size', 'return_id'),
  ),
  row('shared-queues', 'proxy_enqueue_shared_queue', [...i32('queue_id'), ...VALUE]),
  row('shared-queues', 'proxy_dequeue_shared_queue', [...i32('queue_id'), ...PAIRS]),

  row('metrics', 'proxy_define_metric', i32('metric_type', 'name_data', 'name_size', 'return_id')),
  row('metrics', 'proxy_increment_metric', [...i32('metric_id'), ...i64('delta')]),
  row('metrics', 'proxy_record_metric', [...i32('metric_id'), ...i64('value')]),
  row('metrics', 'proxy_get_metric', i32('metric_id', 'return_value')),

  row(
    'foreign',
    'proxy_call_foreign_function',
    [...i32('name_data', 'name_size', 'arguments_data', 'arguments_size'), ...PAIRS],
    { note: 'Envoy’s functions, and what the embedder registers; NotFound for other names' },
  ),

  row('vendor', 'envoy_resolve_dns', i32('name_data', 'name_size', 'return_token'), {
    versions: [],
    spec: 'https://github.com/proxy-wasm/proxy-wasm-cpp-sdk',
    support: 'answers',
    note: 'Unimplemented: an extension of Envoy',
  }),
  row(
    'vendor',
    'proxy_redis_init',
    [
      ...i32('cluster_data', 'cluster_size', 'username_data', 'username_size'),
      ...i32('password_data', 'password_size', 'timeout_milliseconds'),
    ],
    HIGRESS,
  ),
  row(
    'vendor',
    'proxy_redis_call',
    i32('cluster_data', 'cluster_size', 'query_data', 'query_size', 'return_token'),
    HIGRESS,
  ),
  row('vendor', 'proxy_get_upstream_hosts', PAIRS, HIGRESS),
  row('vendor', 'proxy_set_upstream_override_host', i32('address_data', 'address_size'), HIGRESS),
  row(
    'vendor',
    'proxy_inject_encoded_data_to_filter_chain',
    i32('body_data', 'body_size', 'end_stream'),
    HIGRESS,
  ),

  row('toolchain', 'pthread_equal', i32('left', 'right'), { versions: [], spec: EMSCRIPTEN }),
  row('toolchain', 'emscripten_notify_memory_growth', i32('memory_index'), {
    result: 'void',
    versions: [],
    spec: EMSCRIPTEN,
  }),
  row('toolchain', 'abort', i32('message', 'file_name', 'line', 'column'), {
    result: 'void',
    versions: [],
    spec: 'https://www.assemblyscript.org/concepts.html#special-imports',
    note: 'AssemblyScript: logs, then ends the vm',
  }),
]
