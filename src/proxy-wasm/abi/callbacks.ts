/**
 * Every function that a guest may export for the host to call: lifecycle, allocation and callbacks.
 * All callbacks are optional; one that is exported must have the signature given here.
 */
import { ABI_VERSIONS, type AbiVersion } from './enums.ts'
import { i32, type Param, type Signature } from './signature.ts'

export type CallbackGroup =
  | 'start'
  | 'memory'
  | 'contexts'
  | 'configuration'
  | 'timers'
  | 'http'
  | 'tcp'
  | 'http-calls'
  | 'grpc-calls'
  | 'shared-queues'
  | 'foreign'
  | 'vendor'

/** `full`: called as the specification says. `never`: its event does not happen on this host. */
export type CallbackSupport = 'full' | 'never'

export interface CallbackRow {
  readonly name: string
  readonly group: CallbackGroup
  /** For the newest version that has it. */
  readonly params: readonly Param[]
  /** Where 0.1.0 has others. */
  readonly params010?: readonly Param[]
  /** `action` and `bool` are i32 that mean something; `i32` is an address or is ignored. */
  readonly result: 'action' | 'bool' | 'i32' | 'void'
  /** Versions whose specification has it; none for what is outside of the specification. */
  readonly versions: readonly AbiVersion[]
  readonly spec: string
  readonly support: CallbackSupport
  readonly note?: string
}

type Extra = Partial<Omit<CallbackRow, 'name' | 'group' | 'params' | 'result'>>

const SPEC = 'https://github.com/proxy-wasm/spec/tree/main/abi-versions'

function row(
  group: CallbackGroup,
  name: string,
  params: readonly Param[],
  result: CallbackRow['result'],
  extra: Extra = {},
): CallbackRow {
  const versions = extra.versions ?? ABI_VERSIONS
  const spec = `${SPEC}/v${versions.at(-1) ?? '0.2.1'}#${name}`
  return { name, group, params, result, spec, support: 'full', ...extra, versions }
}

const NO_TCP: Extra = { support: 'never', note: 'Workers hand out HTTP requests, not connections' }
const NO_TRAILERS: Extra = { support: 'never', note: 'Fetch shows no trailers' }
const NO_METADATA: Extra = {
  versions: [],
  spec: 'https://github.com/proxy-wasm/proxy-wasm-cpp-sdk',
  support: 'never',
  note: 'Fetch shows no HTTP/2 METADATA frames',
}
const ENVOY: Extra = {
  versions: [],
  spec: 'https://github.com/proxy-wasm/proxy-wasm-cpp-sdk',
  support: 'never',
  note: 'An extension of Envoy',
}

const HEADERS = i32('context_id', 'num_headers', 'end_of_stream')
const HEADERS_0_1_0 = { params010: i32('context_id', 'num_headers') }
const BODY = i32('context_id', 'body_size', 'end_of_stream')
const COUNT = i32('context_id', 'num_elements')
const PEER = i32('context_id', 'peer_type')

export const CALLBACKS: readonly CallbackRow[] = [
  row('start', '_initialize', [], 'void'),
  row('start', 'main', i32('ignored', 'ignored'), 'i32', { note: 'Only after _initialize' }),
  row('start', '_start', [], 'void', { note: 'Only without _initialize' }),

  row('memory', 'malloc', i32('memory_size'), 'i32', {
    note: 'Preferred to proxy_on_memory_allocate, as in Envoy',
  }),
  row('memory', 'proxy_on_memory_allocate', i32('memory_size'), 'i32'),

  row('contexts', 'proxy_on_context_create', i32('context_id', 'parent_context_id'), 'void'),
  row('contexts', 'proxy_on_done', i32('context_id'), 'bool'),
  row('contexts', 'proxy_on_log', i32('context_id'), 'void'),
  row('contexts', 'proxy_on_delete', i32('context_id'), 'void'),

  row(
    'configuration',
    'proxy_on_vm_start',
    i32('plugin_context_id', 'vm_configuration_size'),
    'bool',
  ),
  row(
    'configuration',
    'proxy_on_configure',
    i32('plugin_context_id', 'plugin_configuration_size'),
    'bool',
  ),
  row(
    'configuration',
    'proxy_validate_configuration',
    i32('plugin_context_id', 'configuration_size'),
    'bool',
    {
      ...ENVOY,
      note: 'Deprecated in Envoy; proxy_on_configure decides',
    },
  ),

  row('timers', 'proxy_on_tick', i32('plugin_context_id'), 'void'),

  row('http', 'proxy_on_request_headers', HEADERS, 'action', HEADERS_0_1_0),
  row('http', 'proxy_on_request_body', BODY, 'action'),
  row(
    'http',
    'proxy_on_request_trailers',
    i32('context_id', 'num_trailers'),
    'action',
    NO_TRAILERS,
  ),
  row('http', 'proxy_on_request_metadata', COUNT, 'action', NO_METADATA),
  row('http', 'proxy_on_response_headers', HEADERS, 'action', HEADERS_0_1_0),
  row('http', 'proxy_on_response_body', BODY, 'action'),
  row(
    'http',
    'proxy_on_response_trailers',
    i32('context_id', 'num_trailers'),
    'action',
    NO_TRAILERS,
  ),
  row('http', 'proxy_on_response_metadata', COUNT, 'action', NO_METADATA),

  row('tcp', 'proxy_on_new_connection', i32('context_id'), 'action', NO_TCP),
  row(
    'tcp',
    'proxy_on_downstream_data',
    i32('context_id', 'data_size', 'end_of_stream'),
    'action',
    NO_TCP,
  ),
  row(
    'tcp',
    'proxy_on_upstream_data',
    i32('context_id', 'data_size', 'end_of_stream'),
    'action',
    NO_TCP,
  ),
  row('tcp', 'proxy_on_downstream_connection_close', PEER, 'void', NO_TCP),
  row('tcp', 'proxy_on_upstream_connection_close', PEER, 'void', NO_TCP),

  row(
    'http-calls',
    'proxy_on_http_call_response',
    i32('plugin_context_id', 'call_id', 'num_headers', 'body_size', 'num_trailers'),
    'void',
  ),

  row(
    'grpc-calls',
    'proxy_on_grpc_receive_initial_metadata',
    i32('plugin_context_id', 'stream_id', 'num_elements'),
    'void',
  ),
  row(
    'grpc-calls',
    'proxy_on_grpc_receive',
    i32('plugin_context_id', 'call_id', 'message_size'),
    'void',
  ),
  row(
    'grpc-calls',
    'proxy_on_grpc_receive_trailing_metadata',
    i32('plugin_context_id', 'stream_id', 'num_elements'),
    'void',
  ),
  row(
    'grpc-calls',
    'proxy_on_grpc_close',
    i32('plugin_context_id', 'call_id', 'status_code'),
    'void',
  ),

  row('shared-queues', 'proxy_on_queue_ready', i32('plugin_context_id', 'queue_id'), 'void'),

  row(
    'foreign',
    'proxy_on_foreign_function',
    i32('plugin_context_id', 'function_id', 'arguments_size'),
    'void',
    {
      versions: ['0.2.0', '0.2.1'],
      note: 'For functions of the embedder that answer later',
    },
  ),

  row('vendor', 'envoy_on_resolve_dns', i32('context_id', 'token', 'result_size'), 'void', ENVOY),
  row('vendor', 'envoy_on_stats_update', i32('context_id', 'result_size'), 'void', ENVOY),
  row(
    'vendor',
    'proxy_on_redis_call_response',
    i32('context_id', 'token', 'status', 'response_size'),
    'void',
    {
      ...ENVOY,
      spec: 'https://github.com/higress-group/proxy-wasm-go-sdk',
      note: 'An extension of Higress',
    },
  ),
]

/** @returns the signature a guest of `version` must export the callback with */
export function callbackSignature(callback: CallbackRow, version: AbiVersion): Signature {
  const params = (version === '0.1.0' && callback.params010) || callback.params
  return {
    params: params.map((param) => param.type),
    results: callback.result === 'void' ? [] : ['i32'],
  }
}
