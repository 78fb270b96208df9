/**
 * The numbers that cross the boundary between host and guest, named as the specification names them.
 * No behaviour. Source: https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1
 */

/** The three published versions of the ABI, oldest first. */
export const ABI_VERSIONS = ['0.1.0', '0.2.0', '0.2.1'] as const
export type AbiVersion = (typeof ABI_VERSIONS)[number]

/**
 * `proxy_status_t`: what a host call answers. The gaps (5, 9, 11) exist in the C headers only and are
 * never sent: the Rust SDK's enum has no such members and would panic.
 */
export const Status = {
  Ok: 0,
  NotFound: 1,
  BadArgument: 2,
  SerializationFailure: 3,
  ParseFailure: 4,
  InvalidMemoryAccess: 6,
  Empty: 7,
  CasMismatch: 8,
  InternalFailure: 10,
  Unimplemented: 12,
} as const
export type Status = (typeof Status)[keyof typeof Status]

/** `proxy_log_level_t` */
export const LogLevel = { Trace: 0, Debug: 1, Info: 2, Warn: 3, Error: 4, Critical: 5 } as const
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel]

/** `proxy_buffer_type_t` */
export const BufferType = {
  HttpRequestBody: 0,
  HttpResponseBody: 1,
  DownstreamData: 2,
  UpstreamData: 3,
  HttpCallResponseBody: 4,
  GrpcReceiveBuffer: 5,
  VmConfiguration: 6,
  PluginConfiguration: 7,
  CallData: 8,
} as const
export type BufferType = (typeof BufferType)[keyof typeof BufferType]

/** `proxy_map_type_t` */
export const MapType = {
  HttpRequestHeaders: 0,
  HttpRequestTrailers: 1,
  HttpResponseHeaders: 2,
  HttpResponseTrailers: 3,
  GrpcReceiveInitialMetadata: 4,
  GrpcReceiveTrailingMetadata: 5,
  HttpCallResponseHeaders: 6,
  HttpCallResponseTrailers: 7,
} as const
export type MapType = (typeof MapType)[keyof typeof MapType]

/** `proxy_stream_type_t` (0.2.x) */
export const StreamType = { HttpRequest: 0, HttpResponse: 1, Downstream: 2, Upstream: 3 } as const
export type StreamType = (typeof StreamType)[keyof typeof StreamType]

/** `proxy_metric_type_t` */
export const MetricType = { Counter: 0, Gauge: 1, Histogram: 2 } as const
export type MetricType = (typeof MetricType)[keyof typeof MetricType]

/**
 * What a stream callback returns. The specification has 0 and 1; the others are the C++ SDK's, as the
 * reference host reads them in body callbacks.
 */
export const Action = {
  Continue: 0,
  StopIterationAndBuffer: 1,
  StopIterationAndWatermark: 2,
  StopIterationNoBuffer: 3,
} as const
export type Action = (typeof Action)[keyof typeof Action]
