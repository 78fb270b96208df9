/**
 * Envoy's attributes, once: what a property path is called, how its value is encoded, and where the value
 * comes from here. The documentation's table and the types of CEL variables are made of it; what reads the
 * values is `stream/attributes.ts`, and a test holds the two together.
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
 */
export type AttributeType =
  | 'string'
  | 'int'
  | 'uint'
  | 'bool'
  | 'timestamp'
  | 'duration'
  | 'map'
  | 'message'

export interface AttributeRow {
  readonly path: string
  readonly type: AttributeType
  /** Where its value comes from; undefined for what this host cannot know, which is `NotFound`. */
  readonly source: string | undefined
  /** What is to be known about it, or why it is not available. */
  readonly note?: string
}

function row(
  path: string,
  type: AttributeType,
  source: string | undefined,
  note?: string,
): AttributeRow {
  return { path, type, source, ...(note !== undefined && { note }) }
}

const NO_LOCAL_TLS = 'The platform ends TLS and does not show its own certificate'
const NO_UPSTREAM_TLS = 'Fetch does not show the connection to the upstream'
const XDS = 'There is no xDS here; the Gateway’s resources have nothing like it'
const CLIENT_AUTH = '`request.cf.tlsClientAuth`'
const CERTIFICATES = [
  'subject_local_certificate',
  'dns_san_local_certificate',
  'uri_san_local_certificate',
] as const

export const ATTRIBUTES: readonly AttributeRow[] = [
  row('request.path', 'string', '`:path`'),
  row('request.url_path', 'string', '`:path` without its query'),
  row('request.query', 'string', '`:path` behind the `?`', 'Empty without a query'),
  row('request.host', 'string', '`:authority`'),
  row('request.scheme', 'string', '`:scheme`'),
  row('request.method', 'string', '`:method`'),
  row('request.headers', 'map', 'the request’s headers', 'Also `request.headers.<name>`'),
  row('request.referer', 'string', '`referer`'),
  row('request.useragent', 'string', '`user-agent`'),
  row('request.id', 'string', '`x-request-id`'),
  row('request.protocol', 'string', '`request.cf.httpProtocol`', '`HTTP/1.1` where it is absent'),
  row('request.time', 'timestamp', 'the clock when the request arrived'),
  row('request.duration', 'duration', 'the clock', 'In `on_log`'),
  row('request.size', 'int', '`content-length`, else the bytes that plugins saw'),
  row('request.total_size', 'int', 'the bytes that have come, and the headers'),

  row('response.code', 'int', '`:status`'),
  row('response.code_details', 'string', 'why the gateway answered, or `via_upstream`'),
  row('response.flags', 'int', '0', 'Envoy’s flags speak of its own connections'),
  row(
    'response.grpc_status',
    'int',
    '`grpc-status`, else what `:status` amounts to',
    'Of the headers: Fetch has no trailers',
  ),
  row('response.headers', 'map', 'the response’s headers', 'Also `response.headers.<name>`'),
  row('response.trailers', 'map', 'always empty', 'Fetch has no trailers'),
  row('response.size', 'int', '`content-length`, else the bytes that plugins saw'),
  row('response.total_size', 'int', 'the bytes that have come, and the headers'),
  row(
    'response.backend_latency',
    'duration',
    'the clock, from the request to the response headers',
  ),

  row('source.address', 'string', '`request.cf.clientIp`, else `cf-connecting-ip`'),
  row('source.port', 'int', '`request.cf.clientIp`', 'Not on the edge, which shows no port'),
  row('destination.address', 'string', undefined, 'The platform does not show its own address'),
  row('destination.port', 'int', '`request.url`', 'The port that the client asked for'),

  row('connection.id', 'uint', undefined, 'Connections are the platform’s'),
  row('connection.mtls', 'bool', CLIENT_AUTH, 'A certificate was presented and verified'),
  row(
    'connection.requested_server_name',
    'string',
    '`request.url` over HTTPS',
    'SNI is the host there',
  ),
  row('connection.tls_version', 'string', '`request.cf.tlsVersion`'),
  row('connection.subject_peer_certificate', 'string', CLIENT_AUTH),
  row('connection.dns_san_peer_certificate', 'string', CLIENT_AUTH, 'The first one, as in Envoy'),
  row('connection.uri_san_peer_certificate', 'string', CLIENT_AUTH, 'The first one, as in Envoy'),
  row('connection.sha256_peer_certificate_digest', 'string', CLIENT_AUTH),
  ...CERTIFICATES.map((name) => row(`connection.${name}`, 'string', undefined, NO_LOCAL_TLS)),
  row(
    'connection.transport_failure_reason',
    'string',
    undefined,
    'A failed connection is no request',
  ),
  row('connection.termination_details', 'string', undefined, 'Connections are the platform’s'),

  row(
    'upstream.address',
    'string',
    'the upstream’s URL',
    'Host and port: Fetch resolves names itself',
  ),
  row('upstream.port', 'int', 'the upstream’s URL'),
  row('upstream.local_address', 'string', undefined, NO_UPSTREAM_TLS),
  row('upstream.tls_version', 'string', undefined, NO_UPSTREAM_TLS),
  ...[
    ...CERTIFICATES,
    'subject_peer_certificate',
    'dns_san_peer_certificate',
    'uri_san_peer_certificate',
    'sha256_peer_certificate_digest',
  ].map((name) => row(`upstream.${name}`, 'string', undefined, NO_UPSTREAM_TLS)),
  row('upstream.transport_failure_reason', 'string', undefined, NO_UPSTREAM_TLS),
  row(
    'upstream.request_attempt_count',
    'uint',
    '1 once the request went out',
    'After a rule’s retries as many as there were; `upstream.address` and `xds.cluster_name` are then of the last',
  ),
  row('upstream.cx_pool_ready_duration', 'duration', undefined, NO_UPSTREAM_TLS),
  row('upstream.locality', 'message', undefined, NO_UPSTREAM_TLS),

  row(
    'metadata',
    'message',
    'what the embedder says of the stream',
    'Also `metadata.filter_metadata.<namespace>.<key>…`',
  ),
  row(
    'filter_state',
    'map',
    'what plugins set',
    'By key: `filter_state.wasm.<path>` and objects of `set_envoy_filter_state`; not as a whole',
  ),
  row('upstream_filter_state', 'map', undefined, NO_UPSTREAM_TLS),

  row(
    'xds.node',
    'message',
    '`NODE_NAME`, `NODE_CLUSTER`, `NODE_LABELS`',
    'Also its fields: `xds.node.id`',
  ),
  row('xds.cluster_name', 'string', 'the upstream’s name'),
  row('xds.route_name', 'string', 'the HTTPRoute’s namespace and name'),
  row('xds.virtual_host_name', 'string', 'the host name that matched'),
  row('xds.listener_direction', 'int', '1 (inbound)'),
  ...[
    'cluster_metadata',
    'route_metadata',
    'virtual_host_metadata',
    'upstream_host_metadata',
    'upstream_host_locality_metadata',
    'listener_metadata',
  ].map((name) => row(`xds.${name}`, 'message', undefined, XDS)),
  row('xds.filter_chain_name', 'string', undefined, XDS),

  row('plugin_name', 'string', 'the plugin', 'In every context'),
  row('plugin_root_id', 'string', 'the plugin', 'In every context'),
  row('plugin_vm_id', 'string', 'the plugin', 'In every context'),

  row('connection_id', 'uint', undefined, 'As `connection.id`'),
  row('node', 'message', 'as `xds.node`', 'Deprecated in Envoy'),
  row('cluster_name', 'string', 'as `xds.cluster_name`', 'Deprecated in Envoy'),
  row('route_name', 'string', 'as `xds.route_name`', 'Deprecated in Envoy'),
  row('listener_direction', 'int', 'as `xds.listener_direction`', 'Deprecated in Envoy'),
  ...['cluster_metadata', 'listener_metadata', 'route_metadata', 'upstream_host_metadata'].map(
    (name) => row(name, 'message', undefined, XDS),
  ),
]
