/**
 * A guest that does nothing but one host call, `proxy_get_header_map_value`, over and over in its
 * request headers callback. Put together here byte by byte: no SDK stands between what is measured.
 */

/** How often the callback makes the call. */
export const HOST_CALLS = 1_000_000

/** The header it asks for; its value is as long as a typical path. */
export const HEADER = ':path'

const I32 = 0x7f
const NAME_AT = 1024
const ADDRESS_OUT = 2048
const SIZE_OUT = 2052
const ALLOCATED_AT = 4096

const join = (...parts: readonly (readonly number[])[]): number[] => parts.flat()
const bytes = (text: string): number[] => [...new TextEncoder().encode(text)]
const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
]
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
]
const text = (value: string): number[] => [...unsigned(value.length), ...bytes(value)]
const functionType = (params: number, results: number): number[] => [
  0x60,
  ...vector(Array.from({ length: params }, () => [I32])),
  ...vector(Array.from({ length: results }, () => [I32])),
]

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}

const constant = (value: number): number[] => [0x41, ...signed(value)]
const body = (locals: number, code: readonly number[]): number[] => {
  const declared = locals === 0 ? [0] : [1, locals, I32]
  return [...unsigned(declared.length + code.length + 1), ...declared, ...code, 0x0b]
}

/** The loop over the host call. Local 3 counts. */
const requestHeaders: readonly number[] = join(
  [0x03, 0x40],
  constant(0),
  constant(NAME_AT),
  constant(HEADER.length),
  constant(ADDRESS_OUT),
  constant(SIZE_OUT),
  [0x10, 0, 0x1a],
  [0x20, 3],
  constant(1),
  [0x6a, 0x22, 3],
  constant(HOST_CALLS),
  [0x49, 0x0d, 0, 0x0b],
  constant(0),
)

/** @returns the binary */
export function hostCallModule(): Uint8Array<ArrayBuffer> {
  const exported = (name: string, kind: number, index: number): number[] => [
    ...text(name),
    kind,
    index,
  ]
  return Uint8Array.from(
    join(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(
        1,
        vector([functionType(5, 1), functionType(3, 1), functionType(1, 1), functionType(0, 0)]),
      ),
      section(2, vector([[...text('env'), ...text('proxy_get_header_map_value'), 0, 0]])),
      section(3, vector([[1], [2], [3]])),
      section(5, vector([[0, 1]])),
      section(
        7,
        vector([
          exported('memory', 2, 0),
          exported('proxy_on_request_headers', 0, 1),
          exported('malloc', 0, 2),
          exported('proxy_abi_version_0_2_1', 0, 3),
        ]),
      ),
      section(10, vector([body(1, requestHeaders), body(0, constant(ALLOCATED_AT)), body(0, [])])),
      section(11, vector([[0, ...constant(NAME_AT), 0x0b, ...text(HEADER)]])),
    ),
  )
}
