/** The two messages among the attributes, as CEL values: Envoy's dynamic metadata, and the node. */
import type { CelInput } from '@bufbuild/cel'
import {
  protoBytes,
  type ProtoField,
  protoNumber,
  protoText,
  readProto,
} from '../proxy-wasm/memory/protobuf.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** google.protobuf.Value */
const VALUE = { number: 2, string: 3, bool: 4, struct: 5, list: 6 } as const

/** envoy.config.core.v3.Metadata */
export function readMetadata(bytes: Bytes): CelInput {
  return new Map([['filter_metadata', readMap(fieldsOf(bytes), 1, readStruct)]])
}

/** envoy.config.core.v3.Node, as far as it is filled here. */
export function readNode(bytes: Bytes): CelInput {
  const fields = fieldsOf(bytes)
  const locality = fieldsOf(protoBytes(fields, 4))
  return new Map<string, CelInput>([
    ['id', protoText(fields, 1)],
    ['cluster', protoText(fields, 2)],
    ['metadata', readStruct(protoBytes(fields, 3))],
    [
      'locality',
      new Map([
        ['region', protoText(locality, 1)],
        ['zone', protoText(locality, 2)],
        ['sub_zone', protoText(locality, 3)],
      ]),
    ],
    ['user_agent_name', protoText(fields, 6)],
  ])
}

function readStruct(bytes: Bytes | undefined): CelInput {
  return readMap(fieldsOf(bytes), 1, readValue)
}

function readValue(bytes: Bytes | undefined): CelInput {
  const fields = fieldsOf(bytes)
  switch (fields[0]?.field) {
    case VALUE.number: {
      const bits = new DataView(new ArrayBuffer(8))
      bits.setBigUint64(0, fields[0].value as bigint)
      return bits.getFloat64(0)
    }
    case VALUE.string:
      return protoText(fields, VALUE.string)
    case VALUE.bool:
      return protoNumber(fields, VALUE.bool) === 1
    case VALUE.struct:
      return readStruct(protoBytes(fields, VALUE.struct))
    case VALUE.list:
      return fieldsOf(protoBytes(fields, VALUE.list)).map(({ value }) => readValue(value as Bytes))
    default:
      return null
  }
}

function readMap(
  fields: readonly ProtoField[],
  field: number,
  read: (value: Bytes | undefined) => CelInput,
): Map<string, CelInput> {
  return new Map(
    fields
      .filter((entry) => entry.field === field)
      .map(({ value }) => {
        const entry = fieldsOf(value as Bytes)
        return [protoText(entry, 1), read(protoBytes(entry, 2))]
      }),
  )
}

function fieldsOf(bytes: Bytes | undefined): readonly ProtoField[] {
  return (bytes && readProto(bytes)) ?? []
}
