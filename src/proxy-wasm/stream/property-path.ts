/** The path of a property, looked at once: what it names, and how that is read. */
import type { ByteString, NodeInfo } from '../ports.ts'
import { parsePath, type PropertyValue } from '../memory/property-values.ts'
import { type Attribute, readerOf } from './attributes.ts'
import { nodeProperty } from './messages.ts'

export class PropertyPath {
  readonly segments: readonly ByteString[]
  /** The raw path: what plugins set is kept under it. */
  readonly key: ByteString
  /** Reads it from a stream: an attribute, or what a plugin has set. */
  readonly read: Attribute
  readonly #isOfNode: boolean
  #node: NodeInfo | undefined
  #ofNode: PropertyValue | undefined

  constructor(segments: readonly ByteString[]) {
    this.segments = segments
    this.key = segments.join('\0')
    this.read = readerOf(segments)
    this.#isOfNode = segments[0] === 'node' || (segments[0] === 'xds' && segments[1] === 'node')
  }

  /** @param bytes - as a guest gives it */
  static parse(bytes: ByteString): PropertyPath {
    return new PropertyPath(parsePath(bytes))
  }

  /** @returns what it names of the node, put together once */
  ofNode(node: NodeInfo): PropertyValue | undefined {
    if (!this.#isOfNode) return undefined
    if (this.#node !== node) {
      this.#ofNode = nodeProperty(node, this.segments)
      this.#node = node
    }
    return this.#ofNode
  }
}
