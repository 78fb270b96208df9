/** The attributes that are protobuf messages in Envoy: as a whole, and what paths into them lead to. */
import { type JsonObject, jsonProperty, mapEntry, writeStruct } from '../memory/struct.ts'
import { writeProto } from '../memory/protobuf.ts'
import type { NodeInfo } from '../ports.ts'

/** Dynamic metadata by namespace (`envoy.config.core.v3.Metadata`). */
export type StreamMetadata = Readonly<Record<string, JsonObject>>

const USER_AGENT = 'postern'

/**
 * @param path - behind `metadata`
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/base.proto#config-core-v3-metadata
 */
export function metadataProperty(
  metadata: StreamMetadata,
  path: readonly string[],
): Uint8Array | undefined {
  if (path.length > 0) return jsonProperty({ filter_metadata: metadata }, path)
  return writeProto(
    Object.entries(metadata).map(([name, struct]) => [1, mapEntry(name, writeStruct(struct))]),
  )
}

/**
 * @param path - `xds.node…`, or `node…` as older plugins ask
 * @returns undefined for every other path
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/base.proto#config-core-v3-node
 */
export function nodeProperty(node: NodeInfo, path: readonly string[]): Uint8Array | undefined {
  const depth = path[0] === 'node' ? 1 : path[0] === 'xds' && path[1] === 'node' ? 2 : 0
  if (depth === 0) return undefined
  const { id, cluster, metadata, region = '', zone = '' } = node
  if (path.length > depth) {
    const locality = { region, zone, sub_zone: '' }
    const fields = { id, cluster, metadata, locality, user_agent_name: USER_AGENT }
    return jsonProperty(fields, path.slice(depth))
  }
  const locality = writeProto([
    [1, region || undefined],
    [2, zone || undefined],
  ])
  return writeProto([
    [1, id],
    [2, cluster],
    [3, writeStruct(metadata)],
    [4, locality],
    [6, USER_AGENT],
  ])
}
