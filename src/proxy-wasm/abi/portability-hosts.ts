/**
 * What other Proxy-Wasm hosts run, as data. Each rule says where it is from; hosts move on, so a rule
 * that has become wrong is corrected here and nowhere else.
 */
import { ABI_VERSIONS, type AbiVersion } from './enums.ts'

export interface HostRules {
  readonly name: string
  /** The page that most of the rules are from. */
  readonly rules: string
  readonly versions: readonly AbiVersion[]
  /** Links only the functions of the module's own version, and compares signatures. */
  readonly exactImports: boolean
  /** Functions beside the specification's that are there. */
  readonly extensions: ReadonlySet<string>
  /** Functions of the specification that link and do not work. */
  readonly missingCalls: ReadonlySet<string>
  /** What a call to one of them comes to; begins a sentence that ends in their names. */
  readonly missingCallAnswers: string
  readonly missingCallbacks: ReadonlySet<string>
  readonly ownMemoryOnly: boolean
  /** Most bytes of guest memory. */
  readonly memoryBytes?: number
  /** Most bytes of module and configuration. */
  readonly moduleBytes?: number
}

const MIB = 1024 * 1024
const GRPC_CALLS = [
  'proxy_grpc_call',
  'proxy_grpc_stream',
  'proxy_grpc_send',
  'proxy_grpc_cancel',
  'proxy_grpc_close',
]
const GRPC_CALLBACKS = [
  'proxy_on_grpc_receive_initial_metadata',
  'proxy_on_grpc_receive',
  'proxy_on_grpc_receive_trailing_metadata',
  'proxy_on_grpc_close',
]
const TCP_CALLBACKS = [
  'proxy_on_new_connection',
  'proxy_on_downstream_data',
  'proxy_on_upstream_data',
  'proxy_on_downstream_connection_close',
  'proxy_on_upstream_connection_close',
]
const TRAILERS = ['proxy_on_request_trailers', 'proxy_on_response_trailers']
const METADATA = ['proxy_on_request_metadata', 'proxy_on_response_metadata']
const QUEUES = [
  'proxy_register_shared_queue',
  'proxy_resolve_shared_queue',
  'proxy_enqueue_shared_queue',
  'proxy_dequeue_shared_queue',
]
const METRICS = [
  'proxy_define_metric',
  'proxy_increment_metric',
  'proxy_record_metric',
  'proxy_get_metric',
]
const HIGRESS_CALLBACK = 'proxy_on_redis_call_response'
const ENVOY_CALLBACKS = ['envoy_on_resolve_dns', 'envoy_on_stats_update']

export const HOSTS: readonly HostRules[] = [
  {
    // Every function of the detected version and no other is registered; an import that stays open, or
    // has another signature, refuses the module: registerCallbacks in src/wasm.cc, link in src/v8/v8.cc.
    name: 'Envoy',
    rules: 'https://github.com/proxy-wasm/proxy-wasm-cpp-host/blob/main/src/wasm.cc',
    versions: ABI_VERSIONS,
    exactImports: true,
    // https://github.com/envoyproxy/envoy/blob/main/source/extensions/common/wasm/wasm.cc
    extensions: new Set(['pthread_equal', 'emscripten_notify_memory_growth', 'envoy_resolve_dns']),
    missingCalls: new Set(),
    missingCallAnswers: '',
    missingCallbacks: new Set([HIGRESS_CALLBACK]),
    ownMemoryOnly: false,
  },
  {
    // The tables "Supported Entrypoints" and "Supported Host ABI". Metrics are missing in that table and
    // described as working in docs/METRICS.md, which is newer.
    name: 'nginx (ngx_wasm_module)',
    rules: 'https://github.com/Kong/ngx_wasm_module/blob/main/docs/PROXY_WASM.md',
    versions: ABI_VERSIONS,
    exactImports: false,
    extensions: new Set(),
    missingCalls: new Set([
      'proxy_get_log_level',
      'proxy_done',
      'proxy_close_stream',
      'proxy_continue_response',
      'proxy_get_status',
      'proxy_resolve_shared_queue',
      'proxy_call_foreign_function',
      ...GRPC_CALLS,
    ]),
    // "NYI" functions end the call with a trap: src/common/proxy_wasm/ngx_proxy_wasm_host.c
    missingCallAnswers: 'Not implemented there, and a trap if called',
    missingCallbacks: new Set([
      'proxy_on_queue_ready',
      'proxy_on_foreign_function',
      HIGRESS_CALLBACK,
      ...TRAILERS,
      ...METADATA,
      ...TCP_CALLBACKS,
      ...GRPC_CALLBACKS,
      ...ENVOY_CALLBACKS,
    ]),
    ownMemoryOnly: false,
  },
  {
    // The page lists what is implemented; all else of the specification links and answers
    // Unimplemented: https://github.com/proxy-wasm/proxy-wasm-rust-sdk/issues/255
    name: 'APISIX (wasm-nginx-module)',
    rules: 'https://github.com/api7/wasm-nginx-module/blob/main/proxy_wasm_abi.md',
    versions: ABI_VERSIONS,
    exactImports: false,
    extensions: new Set(),
    missingCalls: new Set([
      'proxy_get_log_level',
      'proxy_get_current_time_nanoseconds',
      'proxy_set_tick_period_milliseconds',
      'proxy_set_effective_context',
      'proxy_done',
      'proxy_set_buffer_bytes',
      'proxy_get_buffer_status',
      'proxy_get_header_map_size',
      'proxy_set_header_map_pairs',
      'proxy_continue_stream',
      'proxy_close_stream',
      'proxy_continue_request',
      'proxy_continue_response',
      'proxy_clear_route_cache',
      'proxy_get_status',
      'proxy_set_shared_data',
      'proxy_get_shared_data',
      'proxy_call_foreign_function',
      ...QUEUES,
      ...GRPC_CALLS,
    ]),
    missingCallAnswers: 'Not implemented there; the Rust SDK panics if one is called',
    missingCallbacks: new Set([
      'proxy_on_vm_start',
      'proxy_on_tick',
      'proxy_on_log',
      'proxy_on_response_body',
      'proxy_on_queue_ready',
      'proxy_on_foreign_function',
      HIGRESS_CALLBACK,
      ...TRAILERS,
      ...METADATA,
      ...TCP_CALLBACKS,
      ...GRPC_CALLBACKS,
      ...ENVOY_CALLBACKS,
    ]),
    // "the wasm plugin doesn't export memory": src/vm/wasmtime.c
    ownMemoryOnly: true,
  },
  {
    // "Service Extensions doesn't support timers, custom metrics, shared data, shared queues, or
    // outbound network calls": https://cloud.google.com/service-extensions/docs/plugin-best-practices
    name: 'Google Service Extensions',
    rules: 'https://cloud.google.com/service-extensions/docs/plugins-overview',
    versions: ABI_VERSIONS,
    exactImports: true,
    extensions: new Set(['pthread_equal', 'emscripten_notify_memory_growth']),
    missingCalls: new Set([
      'proxy_set_tick_period_milliseconds',
      'proxy_set_shared_data',
      'proxy_get_shared_data',
      'proxy_http_call',
      'proxy_get_status',
      'proxy_call_foreign_function',
      ...METRICS,
      ...QUEUES,
      ...GRPC_CALLS,
    ]),
    missingCallAnswers: 'Not supported there',
    missingCallbacks: new Set([
      'proxy_on_tick',
      'proxy_on_queue_ready',
      'proxy_on_http_call_response',
      'proxy_on_foreign_function',
      HIGRESS_CALLBACK,
      ...TRAILERS,
      ...METADATA,
      ...TCP_CALLBACKS,
      ...GRPC_CALLBACKS,
      ...ENVOY_CALLBACKS,
    ]),
    ownMemoryOnly: false,
    // "up to 16 MiB of memory per VM instance", plugins-overview
    memoryBytes: 16 * MIB,
    // module and configuration together: https://cloud.google.com/service-extensions/docs/quotas
    moduleBytes: 5 * MIB,
  },
]
