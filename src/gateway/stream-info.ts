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

/** What a stream's attributes are read from. `request.cf` is looked at when an attribute asks for it. */
class RequestInfo implements StreamInfo {
  readonly startTime: bigint
  readonly request: Request
  routeName: string | undefined
  readonly virtualHostName: string | undefined
  clusterName: string | undefined
  upstream: StreamInfo['upstream']
  attempts: number | undefined = undefined
  // set while the stream goes on
  backendLatency: bigint | undefined = undefined
  duration: bigint | undefined = undefined
  responseDetails: string | undefined = undefined

  constructor(request: Request, startTime: bigint, about: StreamAbout) {
    this.request = request
    this.startTime = startTime
    this.routeName = about.routeName
    this.virtualHostName = about.virtualHostName
    this.clusterName = about.clusterName
    this.upstream = about.upstream
  }

  get #cf(): RequestCf | undefined {
    return (this.request as { readonly cf?: RequestCf }).cf
  }

  get #certificate(): RequestCf['tlsClientAuth'] {
    const client = this.#cf?.tlsClientAuth
    return client?.certPresented === '1' ? client : undefined
  }

  get protocol(): string {
    return this.#cf?.httpProtocol ?? 'HTTP/1.1'
  }

  get sourceAddress(): string | undefined {
    return this.#cf?.clientIp ?? this.request.headers.get('cf-connecting-ip') ?? undefined
  }

  get sourcePort(): number | undefined {
    const address = this.sourceAddress
    return address === undefined ? undefined : portOf(address)
  }

  get tlsVersion(): string | undefined {
    return this.#cf?.tlsVersion
  }

  get mtls(): boolean {
    return this.#certificate?.certVerified === 'SUCCESS'
  }

  get subjectPeerCertificate(): string | undefined {
    return this.#certificate?.certSubjectDN
  }

  get peerCertificate(): string | undefined {
    return this.#certificate?.certRFC9440
  }

  get sha256PeerCertificateDigest(): string | undefined {
    return this.#certificate?.certFingerprintSHA256?.toLowerCase()
  }
}

/**
 * @param request - as it arrived
 * @param startTime - nanoseconds since the Unix epoch
 */
export function streamInfo(request: Request, startTime: bigint, about: StreamAbout): StreamInfo {
  return new RequestInfo(request, startTime, about)
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
