/**
 * Makes small wasm binaries for tests that need one of a certain shape and not its code: imports and
 * exports with signatures, limits, custom sections. Functions trap.
 */
import type { Signature } from '../abi/signature.ts'

export interface WasmShape {
  readonly imports?: readonly (readonly [module: string, name: string, what: Imported])[]
  readonly functions?: Readonly<Record<string, Signature>>
  /** Exports that are no functions: their kind's number. */
  readonly otherExports?: Readonly<Record<string, number>>
  /** The memory's limits as bytes; false for none. Two pages by default. */
  readonly memory?: readonly number[] | false
  readonly producers?: Readonly<
    Record<string, readonly (readonly [name: string, version: string])[]>
  >
  readonly customSections?: Readonly<Record<string, readonly number[]>>
  readonly startFunction?: number
}

/** A function by its signature; anything else by its kind and description as bytes. */
export type Imported =
  | Signature
  | { readonly kind: number; readonly description: readonly number[] }

const CODES: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c }
const UNREACHABLE_BODY = [3, 0, 0x00, 0x0b]

const split = (types: string): string[] => types.split(' ').filter((type) => type !== '')

/** `fn('i32 i64', 'i32')` */
export function fn(params: string = '', results: string = ''): Signature {
  return { params: split(params), results: split(results) }
}

/** @returns the binary; valid as long as the shape is */
export function buildWasm(shape: WasmShape): Uint8Array<ArrayBuffer> {
  const { imports = [], functions = {}, otherExports = {}, memory = [0, 2] } = shape
  const types: number[][] = []
  const addType = ({ params, results }: Signature): number =>
    types.push([0x60, ...vector(codes(params)), ...vector(codes(results))]) - 1

  const importEntries = imports.map(([module, name, what]) =>
    join(
      text(module),
      text(name),
      'kind' in what ? [what.kind, ...what.description] : [0, ...leb(addType(what))],
    ),
  )
  const imported = imports.filter(([, , what]) => !('kind' in what)).length
  const functionTypes = Object.values(functions).map((signature) => leb(addType(signature)))
  const exportEntries = [
    ...Object.keys(functions).map((name, at) => join(text(name), [0], leb(imported + at))),
    ...Object.entries(otherExports).map(([name, kind]) => join(text(name), [kind, 0])),
  ]
  if (memory !== false) exportEntries.push(join(text('memory'), [2, 0]))
  const producers = Object.entries(shape.producers ?? {}).map(([field, values]) =>
    join(text(field), vector(values.map(([name, version]) => join(text(name), text(version))))),
  )
  const custom = Object.entries(shape.customSections ?? {})
  if (shape.producers) custom.unshift(['producers', vector(producers)])
  return Uint8Array.from(
    join(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, vector(types)),
      section(2, vector(importEntries)),
      section(3, vector(functionTypes)),
      memory === false ? [] : section(5, vector([memory])),
      section(7, vector(exportEntries)),
      shape.startFunction === undefined ? [] : section(8, leb(shape.startFunction)),
      section(10, vector(functionTypes.map(() => UNREACHABLE_BODY))),
      ...custom.map(([name, content]) => section(0, join(text(name), content))),
    ),
  )
}

function join(...parts: readonly (readonly number[])[]): number[] {
  return parts.flat()
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content]
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()]
}

function codes(types: readonly string[]): number[][] {
  return types.map((type) => [CODES[type] ?? 0])
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value)
  return [...leb(bytes.length), ...bytes]
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
}
