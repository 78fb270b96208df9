/**
 * Guests that do nothing but one host call, over and over in their request headers callback. Put together
 * here byte by byte: no SDK stands between what is measured.
 */

/** How often the callback makes the call. */
export const HOST_CALLS = 2_000_000

/** What the calls ask for; the values are as long as a typical path. */
export const HEADER = ':path'
export const PROPERTY: readonly string[] = ['request', 'path']
export const SHARED_KEY = 'prices/last-change'
/** The first counter that is defined. */
export const METRIC = 4

const I32 = 0x7f
const I64 = 0x7e
const TEXT_AT = 1024
const ADDRESS_OUT = 2048
const SIZE_OUT = 2052
const CAS_OUT = 2056
const ALLOCATED_AT = 4096

/** One argument: an i32, or an i64 where it says so. */
type Argument = number | { readonly i64: number }

/** A host call as it is measured. */
export interface MeasuredCall {
  /** The row. */
  readonly row: string
  readonly name: string
  readonly args: readonly Argument[]
  /** What stands at the address of the first text. */
  readonly text: string
}

const path = PROPERTY.join('\0')

export const MEASURED_CALLS: readonly MeasuredCall[] = [
  {
    row: 'host-call',
    name: 'proxy_get_header_map_value',
    args: [0, TEXT_AT, HEADER.length, ADDRESS_OUT, SIZE_OUT],
    text: HEADER,
  },
  {
    row: 'metrics-increment',
    name: 'proxy_increment_metric',
    args: [METRIC, { i64: 1 }],
    text: '',
  },
  {
    row: 'get-property',
    name: 'proxy_get_property',
    args: [TEXT_AT, path.length, ADDRESS_OUT, SIZE_OUT],
    text: path,
  },
  {
    row: 'shared-data-get',
    name: 'proxy_get_shared_data',
    args: [TEXT_AT, SHARED_KEY.length, ADDRESS_OUT, SIZE_OUT, CAS_OUT],
    text: SHARED_KEY,
  },
]

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
const functionType = (params: readonly number[], results: number): number[] => [
  0x60,
  ...vector(params.map((type) => [type])),
  ...vector(Array.from({ length: results }, () => [I32])),
]
const i32s = (count: number): number[] => Array.from({ length: count }, () => I32)

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}

const constant = (value: number): number[] => [0x41, ...signed(value)]
const argument = (value: Argument): number[] =>
  typeof value === 'number' ? constant(value) : [0x42, ...signed(value.i64)]
const body = (locals: number, code: readonly number[]): number[] => {
  const declared = locals === 0 ? [0] : [1, locals, I32]
  return [...unsigned(declared.length + code.length + 1), ...declared, ...code, 0x0b]
}

/** The loop over the call. Local 3 counts, local 4 gathers statuses: a refusal would be a Pause. */
const requestHeaders = (args: readonly Argument[]): number[] =>
  join(
    [0x03, 0x40],
    ...args.map(argument),
    [0x10, 0],
    [0x20, 4, 0x72, 0x21, 4],
    [0x20, 3],
    constant(1),
    [0x6a, 0x22, 3],
    constant(HOST_CALLS),
    [0x49, 0x0d, 0, 0x0b],
    [0x20, 4],
  )

/** @returns the binary */
export function hostCallModule({ name, args, text: asked }: MeasuredCall): Uint8Array<ArrayBuffer> {
  const exported = (name: string, kind: number, index: number): number[] => [
    ...text(name),
    kind,
    index,
  ]
  const types = args.map((value) => (typeof value === 'number' ? I32 : I64))
  return Uint8Array.from(
    join(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(
        1,
        vector([
          functionType(types, 1),
          functionType(i32s(3), 1),
          functionType(i32s(1), 1),
          functionType([], 0),
        ]),
      ),
      section(2, vector([[...text('env'), ...text(name), 0, 0]])),
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
      section(
        10,
        vector([body(2, requestHeaders(args)), body(0, constant(ALLOCATED_AT)), body(0, [])]),
      ),
      section(11, vector([[0, ...constant(TEXT_AT), 0x0b, ...text(asked)]])),
    ),
  )
}
