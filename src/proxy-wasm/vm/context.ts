/**
 * What a host call can ask of the context it acts on. The root context of a plugin and the stream
 * context of one request in it both answer; what a root has not got it answers as Envoy does.
 * Host calls (`hostcalls/`) marshal; the meaning is behind this interface.
 */
import type { BufferType, MapType, Status, StreamType } from '../abi/enums.ts'
import type { PropertyValue } from '../memory/property-values.ts'
import type { ByteString, PropertyDeclaration } from '../ports.ts'
import type { BodyBuffer } from '../stream/body-buffer.ts'
import type { HeaderMap } from '../stream/header-map.ts'
import type { LocalReply } from '../stream/local-reply.ts'
import type { PropertyPath } from '../stream/property-path.ts'
import type { Tally } from '../stream/tally.ts'
import type { RootContext } from './root-context.ts'

export interface Context {
  /** Unique in the vm, never 0. */
  readonly id: number
  /** The root context of the same plugin (itself, for a root). */
  readonly root: RootContext
  /** Where what is done in it is counted; undefined where nobody asks. */
  readonly tally: Tally | undefined

  /** A map for reading, or undefined when there is none of that type in this phase. */
  headerMap(type: MapType): HeaderMap | undefined
  /** A map for writing, or undefined when edits of it would reach nobody any more. */
  editableHeaderMap(type: MapType): HeaderMap | undefined
  /** The bytes of a buffer, or undefined when there is none of that type in this phase. */
  buffer(type: BufferType): Uint8Array<ArrayBuffer> | undefined
  /** A body buffer for writing, or undefined where the guest may not write. */
  editableBuffer(type: BufferType): BodyBuffer | undefined

  continueStream(type: StreamType): Status
  closeStream(type: StreamType): Status
  sendLocalResponse(reply: LocalReply): void
  clearRouteCache(): void

  /** A value, or undefined when the path names nothing. */
  property(path: PropertyPath): PropertyValue | undefined
  setProperty(path: PropertyPath, value: Uint8Array): Status
  /** Says how a property may be used; what streams set follows what their root has declared. */
  declareProperty(name: ByteString, declaration: PropertyDeclaration): Status
  setFilterState(key: ByteString, value: Uint8Array): Status

  /** Takes one callout from the allowance. @returns why none is left, undefined when there was one */
  refuseCallout(): string | undefined

  /** The guest says that what it delayed in `on_done` is finished. */
  done(): Status
}
