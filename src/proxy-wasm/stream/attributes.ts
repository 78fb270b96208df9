/**
 * The property tree: Envoy's attributes as far as a request on Fetch can fill them, the plugin's own
 * names, and what plugins of the same stream set. Paths and encodings are Envoy's
 * (https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes).
 */
import { textToByteString } from '../memory/byte-string.ts'
import { boolValue, mapValue, type PropertyValue } from '../memory/property-values.ts'
import { type CertificateNames, certificateNames } from '../memory/certificate-names.ts'
import type { ByteString } from '../ports.ts'
import type { PluginSpec } from '../vm/plugin-spec.ts'
import type { Chain } from './chain.ts'
import type { HeaderMap } from './header-map.ts'
import { grpcStatusOf } from './local-reply.ts'
import { metadataProperty, type StreamMetadata } from './messages.ts'

/** What the adapter knows of a stream. Everything that is absent is `NotFound` to a guest. */
export interface StreamInfo {
  /** Nanoseconds since the Unix epoch when the request arrived. */
  readonly startTime: bigint
  /** The request as it came: its URL says which port and which name were asked for. */
  readonly request?: { readonly url: string } | undefined
  /** `HTTP/1.1`, `HTTP/2`, … */
  readonly protocol?: string | undefined
  /** `ip:port` or `ip` of the client. */
  readonly sourceAddress?: string | undefined
  readonly sourcePort?: number | undefined
  readonly destinationAddress?: string | undefined
  readonly destinationPort?: number | undefined
  readonly connectionId?: bigint | undefined
  readonly tlsVersion?: string | undefined
  readonly requestedServerName?: string | undefined
  /** The client proved a certificate. */
  readonly mtls?: boolean | undefined
  readonly subjectPeerCertificate?: string | undefined
  /** DER in base64: where the names in it come from. */
  readonly peerCertificate?: string | undefined
  /** Lower-case hex. */
  readonly sha256PeerCertificateDigest?: string | undefined
  routeName?: string | undefined
  readonly virtualHostName?: string | undefined
  /** Where the request goes: known once it is routed, changed when it is routed again. */
  clusterName?: string | undefined
  upstreamAddress?: string | undefined
  upstreamPort?: number | undefined
  /** Where the request goes, asked once it has gone out; an address that is given comes first. */
  upstream?: { readonly address: string | undefined } | undefined
  /** How often it was sent, where that is more than once. */
  attempts?: number | undefined
  /** Dynamic metadata, by namespace. */
  readonly metadata?: StreamMetadata | undefined
  /** Nanoseconds from sending the request to the response headers. */
  backendLatency?: bigint | undefined
  /** Nanoseconds from `startTime` to the end; set when the stream is over. */
  duration?: bigint | undefined
  /** Why the gateway or a plugin answered itself; absent when the upstream did. */
  responseDetails?: string | undefined
  /** Given values by dotted path: they come before what the stream itself knows. For tests and tools. */
  readonly given?: ReadonlyMap<string, Uint8Array> | undefined
}

/** Reads one property of a stream. Integers are int64, points in time and durations nanoseconds. */
export type Attribute = (chain: Chain) => PropertyValue | undefined

const text = (value: string | undefined): ByteString | undefined =>
  value === undefined ? undefined : textToByteString(value)
const int = (value: number | undefined): number | undefined =>
  value === undefined || Number.isNaN(value) ? undefined : Math.trunc(value)

const request =
  (name: string): Attribute =>
  (chain) =>
    chain.requestHeaders?.get(name)

/** `:path` cut in two at the query. */
function splitPath(
  chain: Chain,
): { readonly path: ByteString; readonly query: ByteString } | undefined {
  const path = chain.requestHeaders?.get(':path')
  if (path === undefined) return undefined
  const [beforeFragment = ''] = path.split('#', 1)
  const at = beforeFragment.indexOf('?')
  return at < 0
    ? { path: beforeFragment, query: '' }
    : { path: beforeFragment.slice(0, at), query: beforeFragment.slice(at + 1) }
}

/** Content-length when it is a number, else the bytes seen so far. */
function bodySize(headers: HeaderMap | undefined, seen: number): number {
  const declared = headers?.get('content-length')
  return declared !== undefined && /^\d+$/.test(declared) ? Number(declared) : seen
}

/** What has come; of a body that no plugin reads, in the end, what was announced. */
function totalSize({ ended }: Chain, headers: HeaderMap | undefined, seen: number): number {
  return (ended ? bodySize(headers, seen) : seen) + (headers?.byteSize ?? 0)
}

/** One entry for each name, values joined by `,`, as Envoy shows a header map. */
function headersValue(headers: HeaderMap | undefined): Uint8Array {
  return mapValue(headers === undefined ? new Map() : joinedHeaders(headers))
}

function joinedHeaders(headers: HeaderMap): Map<ByteString, ByteString> {
  const joined = new Map<ByteString, ByteString>()
  const { lines } = headers
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as ByteString
    const before = joined.get(name)
    const value = lines[i + 1] as ByteString
    joined.set(name, before === undefined ? value : `${before},${value}`)
  }
  return joined
}

function grpcStatus(chain: Chain): number | undefined {
  const headers = chain.responseHeaders
  const status = headers?.get('grpc-status')
  if (status !== undefined) return int(Number(status))
  // of an answer that is no gRPC, Envoy tells what its HTTP status amounts to
  return headers && int(grpcStatusOf(Number(headers.get(':status'))))
}

function portOfUrl(url: string | undefined): number | undefined {
  if (url === undefined) return undefined
  const { port, protocol } = new URL(url)
  return Number(port || (protocol === 'https:' ? 443 : 80))
}

function serverNameOfUrl(url: string | undefined): string | undefined {
  return url?.startsWith('https:') ? new URL(url).hostname : undefined
}

function upstreamAddress({ info, requestSent }: Chain): string | undefined {
  return info.upstreamAddress ?? (requestSent ? info.upstream?.address : undefined)
}

function upstreamPort(chain: Chain): number | undefined {
  if (chain.info.upstreamPort !== undefined) return chain.info.upstreamPort
  const port = /:(\d+)$/.exec(upstreamAddress(chain) ?? '')?.[1]
  return port === undefined ? undefined : Number(port)
}

function peerNames({ peerCertificate }: StreamInfo): CertificateNames | undefined {
  return peerCertificate === undefined ? undefined : certificateNames(peerCertificate)
}

/** How every attribute is read, by its path; `abi/attributes.ts` says what they are. */
export const ATTRIBUTES: Readonly<Record<string, Attribute>> = {
  'request.path': request(':path'),
  'request.url_path': (chain) => splitPath(chain)?.path,
  'request.query': (chain) => splitPath(chain)?.query,
  'request.host': request(':authority'),
  'request.scheme': request(':scheme'),
  'request.method': request(':method'),
  'request.referer': request('referer'),
  'request.useragent': request('user-agent'),
  'request.id': request('x-request-id'),
  'request.headers': (chain) => headersValue(chain.requestHeaders),
  'request.protocol': ({ info }) => text(info.protocol),
  'request.time': ({ info }) => info.startTime,
  'request.duration': ({ info }) => info.duration,
  'request.size': (chain) => int(bodySize(chain.requestHeaders, chain.requestBytes)),
  'request.total_size': (chain) => int(totalSize(chain, chain.requestHeaders, chain.requestBytes)),
  'response.code': (chain) => int(Number(chain.responseHeaders?.get(':status') ?? Number.NaN)),
  'response.code_details': (chain) =>
    text(
      chain.responseDetails ??
        chain.info.responseDetails ??
        (chain.responseHeaders && 'via_upstream'),
    ),
  'response.flags': () => 0,
  'response.grpc_status': grpcStatus,
  'response.headers': (chain) => headersValue(chain.responseHeaders),
  'response.trailers': () => mapValue(new Map()),
  'response.size': (chain) => int(bodySize(chain.responseHeaders, chain.responseBytes)),
  'response.total_size': (chain) =>
    int(totalSize(chain, chain.responseHeaders, chain.responseBytes)),
  'response.backend_latency': ({ info }) => info.backendLatency,
  'source.address': ({ info }) => text(info.sourceAddress),
  'source.port': ({ info }) => int(info.sourcePort),
  'destination.address': ({ info }) => text(info.destinationAddress),
  'destination.port': ({ info }) => int(info.destinationPort ?? portOfUrl(info.request?.url)),
  'connection.id': ({ info }) => info.connectionId,
  connection_id: ({ info }) => info.connectionId,
  'connection.mtls': ({ info }) => boolValue(info.mtls ?? false),
  'connection.requested_server_name': ({ info }) =>
    text(info.requestedServerName ?? serverNameOfUrl(info.request?.url)),
  'connection.tls_version': ({ info }) => text(info.tlsVersion),
  'connection.subject_peer_certificate': ({ info }) => text(info.subjectPeerCertificate),
  'connection.sha256_peer_certificate_digest': ({ info }) => text(info.sha256PeerCertificateDigest),
  'connection.dns_san_peer_certificate': ({ info }) => peerNames(info)?.dns,
  'connection.uri_san_peer_certificate': ({ info }) => peerNames(info)?.uri,
  'upstream.address': (chain) => text(upstreamAddress(chain)),
  'upstream.port': (chain) => int(upstreamPort(chain)),
  'upstream.request_attempt_count': (chain) =>
    chain.requestSent ? (chain.info.attempts ?? 1) : undefined,
  'xds.cluster_name': ({ info }) => text(info.clusterName),
  cluster_name: ({ info }) => text(info.clusterName),
  'xds.route_name': ({ info }) => text(info.routeName),
  route_name: ({ info }) => text(info.routeName),
  'xds.virtual_host_name': ({ info }) => text(info.virtualHostName),
  // a gateway sees traffic on its way in: envoy.config.core.v3.TrafficDirection INBOUND
  'xds.listener_direction': () => 1,
  listener_direction: () => 1,
}

/** The plugin's own names, served in every context from the very first call: SDKs need them to start. */
export function pluginProperty(spec: PluginSpec, path: readonly string[]): ByteString | undefined {
  if (path.length !== 1) return undefined
  switch (path[0]) {
    case 'plugin_name':
      return textToByteString(spec.name)
    case 'plugin_root_id':
      return textToByteString(spec.rootId)
    case 'plugin_vm_id':
      return textToByteString(spec.vmId)
    default:
      return undefined
  }
}

/** Where an object of Envoy's filter state is kept among what plugins set: no property has such a path. */
export function filterStateKey(key: ByteString): ByteString {
  return `\0filter_state\0${key}`
}

/**
 * @param path - segments as byte strings
 * @returns how what the path names is read from a stream; of a path that names nothing, undefined is read
 */
export function readerOf(path: readonly ByteString[]): Attribute {
  const name = path.join('.')
  // own names only: "constructor" is none
  const attribute =
    path.length <= 2 && Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined
  if (attribute !== undefined) return attribute
  const [first, second, third] = path
  if (path.length === 3 && second === 'headers') return headerReader(first, third as ByteString)
  if (first === 'metadata') {
    const behind = path.slice(1)
    return ({ info }) => info.metadata && metadataProperty(info.metadata, behind)
  }
  if (first === 'filter_state' && second !== undefined) {
    // filter_state.wasm.<path>: Envoy's other name for what a plugin set
    const key = path
      .slice(second === 'wasm' ? 2 : 1)
      .join('\0')
      .replace(/^wasm\./, '')
    const stateKey = filterStateKey(path.slice(1).join('.'))
    return ({ stored }) => stored.get(key) ?? stored.get(stateKey)
  }
  const key = path.join('\0')
  return ({ stored }) => stored.get(key)
}

/** One header, its lines joined as in the whole map. */
function headerReader(message: ByteString | undefined, name: ByteString): Attribute {
  const asked = name.toLowerCase()
  const joined = (headers: HeaderMap | undefined, name: ByteString): ByteString | undefined =>
    headers?.has(name) ? headers.getAll(name).join(',') : undefined
  if (message === 'request') {
    const own = asked === 'host' ? ':authority' : asked
    return (chain) => joined(chain.requestHeaders, own)
  }
  return message === 'response' ? (chain) => joined(chain.responseHeaders, asked) : () => undefined
}
