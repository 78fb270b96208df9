/**
 * The stream context: what one plugin's guest can see and do of one request. Says which map, buffer or
 * act is there in which phase; acts that would re-enter a guest are posted to the chain.
 */
import { BufferType, LogLevel, MapType, Status, StreamType } from '../abi/enums.ts'
import type { PropertyValue } from '../memory/property-values.ts'
import type { ByteString } from '../ports.ts'
import type { Context } from '../vm/context.ts'
import type { RootContext } from '../vm/root-context.ts'
import { filterStateKey } from './attributes.ts'
import type { BodyBuffer } from './body-buffer.ts'
import type { Chain } from './chain.ts'
import type { Direction } from './effects.ts'
import type { Filter } from './filter.ts'
import type { HeaderMap } from './header-map.ts'
import type { LocalReply } from './local-reply.ts'
import type { PropertyPath } from './property-path.ts'
import type { Tally } from './tally.ts'

export class StreamContext implements Context {
  readonly id: number
  readonly root: RootContext
  readonly #chain: Chain
  readonly #filter: Filter
  #declared: Set<ByteString> | undefined

  constructor(chain: Chain, filter: Filter, root: RootContext) {
    this.root = root
    this.#chain = chain
    this.#filter = filter
    this.id = root.vm.takeContextId()
    root.vm.addContext(this)
  }

  get tally(): Tally | undefined {
    return this.#filter.tally
  }

  vmFailed(): void {
    this.#chain.post({ kind: 'vm-failed', filter: this.#filter })
  }

  /** Request headers stay readable in every later phase (Envoy: not after they were sent). */
  headerMap(type: MapType): HeaderMap | undefined {
    switch (type) {
      case MapType.HttpRequestHeaders:
        return this.#chain.requestHeaders
      case MapType.HttpResponseHeaders:
        return this.#chain.responseHeaders
      default:
        return this.root.headerMap(type)
    }
  }

  editableHeaderMap(type: MapType): HeaderMap | undefined {
    const chain = this.#chain
    if (chain.ended) return undefined
    if (type === MapType.HttpRequestHeaders) {
      return chain.requestSent || chain.answered ? undefined : chain.requestHeaders
    }
    if (type === MapType.HttpResponseHeaders) {
      return chain.responseSent ? undefined : chain.responseHeaders
    }
    return undefined
  }

  buffer(type: BufferType): Uint8Array<ArrayBuffer> | undefined {
    const direction = bodyDirection(type)
    if (direction === undefined) return this.root.buffer(type)
    const flow = this.#filter.flow(direction)
    return flow.inCallback || flow.paused ? flow.buffer.whole() : undefined
  }

  editableBuffer(type: BufferType): BodyBuffer | undefined {
    const direction = bodyDirection(type)
    if (direction === undefined) return undefined
    const flow = this.#filter.flow(direction)
    return flow.dataSeen && (flow.inCallback || flow.paused) ? flow.buffer : undefined
  }

  continueStream(type: StreamType): Status {
    if (type === StreamType.Upstream) return Status.Unimplemented
    if (type === StreamType.Downstream) return Status.Ok
    const direction = type === StreamType.HttpRequest ? 'request' : 'response'
    const flow = this.#filter.flow(direction)
    if (flow.inCallback) flow.resumeAsked = true
    else this.#chain.post({ kind: 'resume', filter: this.#filter, direction })
    return Status.Ok
  }

  closeStream(type: StreamType): Status {
    if (type === StreamType.HttpRequest || type === StreamType.HttpResponse) {
      this.#chain.post({ kind: 'reset', details: 'wasm_close_stream' })
    }
    return Status.Ok
  }

  sendLocalResponse(reply: LocalReply): void {
    if (this.#chain.ended) {
      this.root.vm.logHost(
        LogLevel.Warn,
        'proxy_send_local_response has no effect: the stream has ended',
      )
      return
    }
    if (!this.#chain.takesReply) {
      this.root.vm.logHost(
        LogLevel.Warn,
        'proxy_send_local_response has no effect: the stream has been answered',
      )
      return
    }
    const { counts, spec } = this.#filter.plugin
    counts.replies++
    if (spec.logOnly === undefined) counts.localReplies++
    this.#chain.post({ kind: 'local-reply', reply, filter: this.#filter })
  }

  clearRouteCache(): void {
    this.#chain.clearRouteCache()
  }

  property(path: PropertyPath): PropertyValue | undefined {
    const given = this.#chain.info.given?.get(path.segments.join('.'))
    return given ?? this.root.property(path) ?? path.read(this.#chain)
  }

  /** Envoy's key is the raw path; here any path set is found again by the same path. */
  setProperty({ key }: PropertyPath, value: Uint8Array): Status {
    const { stored } = this.#chain
    if (this.root.declaration(key)?.readonly && stored.has(key)) return Status.BadArgument
    stored.set(key, value)
    return Status.Ok
  }

  /** As in Envoy: a stream's own table, which no `set_property` looks at. */
  declareProperty(name: ByteString): Status {
    const declared = (this.#declared ??= new Set<ByteString>())
    if (declared.has(name)) return Status.BadArgument
    declared.add(name)
    return Status.Ok
  }

  setFilterState(key: ByteString, value: Uint8Array): Status {
    this.#chain.stored.set(filterStateKey(key), value)
    return Status.Ok
  }

  done(): Status {
    return Status.NotFound
  }

  refuseCallout(): string | undefined {
    const { calloutsPerRequest } = this.root.spec.limits
    if (this.#chain.countCallout(calloutsPerRequest)) return undefined
    return 'this stream has used up limits.calloutsPerRequest'
  }
}

function bodyDirection(type: BufferType): Direction | undefined {
  if (type === BufferType.HttpRequestBody) return 'request'
  return type === BufferType.HttpResponseBody ? 'response' : undefined
}
