/** What the platform tells about a request → what the machine's attributes are filled from. */
import type { StreamInfo } from '../proxy-wasm/index.ts'

/** The fields of `request.cf` that are read here; workerd outside of Cloudflare gives `clientIp` only. */
interface RequestCf {
  readonly clientIp?: string
  readonly httpProtocol?: string
  readonly tlsVersion?: string
  readonly tlsClientAuth?: {
    readonly certPresented?: string
    readonly certVerified?: string
    readonly certSubjectDN?: string
    readonly certFingerprintSHA256?: string
    readonly certRFC9440?: string
  }
}

/**
 * @param request - as it arrived
 * @param startTime - nanoseconds since the Unix epoch
 */
export function streamInfo(request: Request, startTime: bigint, about: StreamAbout): StreamInfo {
  const cf = (request as { readonly cf?: RequestCf }).cf
  const client = cf?.tlsClientAuth
  const presented = client?.certPresented === '1'
  const address = cf?.clientIp ?? request.headers.get('cf-connecting-ip') ?? undefined
  return {
    startTime,
    protocol: cf?.httpProtocol ?? 'HTTP/1.1',
    sourceAddress: address,
    sourcePort: address === undefined ? undefined : portOf(address),
    tlsVersion: cf?.tlsVersion,
    request,
    mtls: presented && client?.certVerified === 'SUCCESS',
    subjectPeerCertificate: presented ? client?.certSubjectDN : undefined,
    peerCertificate: presented ? client?.certRFC9440 : undefined,
    sha256PeerCertificateDigest: presented
      ? client?.certFingerprintSHA256?.toLowerCase()
      : undefined,
    ...about,
  }
}

export interface StreamAbout {
  readonly routeName?: string | undefined
  readonly virtualHostName?: string | undefined
  readonly clusterName?: string | undefined
  readonly upstream?: StreamInfo['upstream']
}

/**
 * The client's address without its port; brackets of IPv6 stay off. What the runtime knows of the
 * connection comes first: only in front of Cloudflare is the header not the client's own to write.
 */
export function clientIp(request: Request): string | undefined {
  const peer = (request as { readonly cf?: RequestCf }).cf?.clientIp
  return peer === undefined
    ? (request.headers.get('cf-connecting-ip') ?? undefined)
    : hostOnly(peer)
}

function hostOnly(address: string): string {
  if (address.startsWith('[')) return address.slice(1, address.indexOf(']'))
  const colon = address.indexOf(':')
  return colon > 0 && colon === address.lastIndexOf(':') ? address.slice(0, colon) : address
}

function portOf(address: string): number | undefined {
  const match = /:(\d+)$/.exec(address)
  return match && (address.startsWith('[') || address.indexOf(':') === match.index)
    ? Number(match[1])
    : undefined
}
