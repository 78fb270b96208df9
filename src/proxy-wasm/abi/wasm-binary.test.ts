/** What is read out of well-formed binaries, and that bytes of any kind are survived. */
import { describe, expect, it } from 'vitest'
import { buildWasm, fn } from '../testing/build-wasm.ts'
import { parseWasmBinary, type WasmBinary } from './wasm-binary.ts'

function parsed(bytes: Uint8Array): WasmBinary {
  const result = parseWasmBinary(bytes)
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const refusal = (...bytes: number[]): unknown => {
  const result = parseWasmBinary(Uint8Array.from([...HEADER, ...bytes]))
  return result.ok ? 'accepted' : result.error
}

const SAMPLE = buildWasm({
  imports: [
    ['env', 'proxy_log', fn('i32 i32 i32', 'i32')],
    ['env', 'memory', { kind: 2, description: [1, 3, 0x80, 0x02] }],
    ['env', 'table', { kind: 1, description: [0x70, 0, 5] }],
    ['env', 'flag', { kind: 3, description: [0x7f, 1] }],
    ['env', 'oops', { kind: 4, description: [0, 0] }],
    ['env', 'record', fn('i32 i64 f32 f64', '')],
  ],
  functions: { first: fn(), second: fn('i64', 'i32 i32') },
  otherExports: { level: 3 },
  memory: [3, 1, 2],
  startFunction: 2,
  producers: {
    language: [['Rust', '']],
    'processed-by': [
      ['rustc', '1.95.0'],
      ['clang', '20'],
    ],
  },
  customSections: { name: [1, 2, 3] },
})

describe('parseWasmBinary', () => {
  const binary = parsed(SAMPLE)

  it('reads imports of every kind, functions with their signatures', () => {
    expect(binary.imports).toEqual([
      { module: 'env', name: 'proxy_log', kind: 'function', signature: fn('i32 i32 i32', 'i32') },
      {
        module: 'env',
        name: 'memory',
        kind: 'memory',
        limits: { minimum: 3, maximum: 256, shared: false, is64: false },
      },
      {
        module: 'env',
        name: 'table',
        kind: 'table',
        limits: { minimum: 5, shared: false, is64: false },
      },
      { module: 'env', name: 'flag', kind: 'global' },
      { module: 'env', name: 'oops', kind: 'tag' },
      { module: 'env', name: 'record', kind: 'function', signature: fn('i32 i64 f32 f64') },
    ])
  })

  it('reads exports in order, functions with the signatures behind the imported ones', () => {
    expect(binary.exports).toEqual([
      { name: 'first', kind: 'function', signature: fn() },
      { name: 'second', kind: 'function', signature: fn('i64', 'i32 i32') },
      { name: 'level', kind: 'global' },
      { name: 'memory', kind: 'memory' },
    ])
  })

  it('reads limits, counts, start and custom sections', () => {
    expect(binary.memories).toEqual([{ minimum: 1, maximum: 2, shared: true, is64: false }])
    expect(binary.functionCount).toBe(2)
    expect(binary.hasStart).toBe(true)
    expect(binary.customSections.map(({ name }) => name)).toEqual(['producers', 'name'])
    expect(binary.customSections[1]?.size).toBe(8)
    expect(binary.producers).toEqual([
      { field: 'language', name: 'Rust', version: '' },
      { field: 'processed-by', name: 'rustc', version: '1.95.0' },
      { field: 'processed-by', name: 'clang', version: '20' },
    ])
  })

  it('reads an empty module', () => {
    expect(parsed(Uint8Array.from(HEADER))).toMatchObject({ imports: [], exports: [] })
  })

  it('reads 64-bit limits', () => {
    const [memory] = parsed(buildWasm({ memory: [5, 1, 0x80, 0x80, 0x80, 0x80, 0x10] })).memories
    expect(memory).toEqual({ minimum: 1, maximum: 2 ** 32, shared: false, is64: true })
  })

  it('takes a damaged producers section for none', () => {
    const bytes = buildWasm({ customSections: { producers: [9, 1] } })
    expect(parsed(bytes).producers).toEqual([])
  })
})

describe('parseWasmBinary refuses', () => {
  it.each<[string, number[]]>([
    ['nothing', []],
    ['text', [0x23, 0x21, 0x2f, 0x62]],
    ['half a magic number', [0, 0x61, 0x73]],
  ])('%s as no WebAssembly', (_, bytes) => {
    expect(parseWasmBinary(Uint8Array.from(bytes))).toMatchObject({
      ok: false,
      error: { code: 'not-wasm', offset: 0 },
    })
  })

  it('a component, and says what to build instead', () => {
    const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0])
    const result = parseWasmBinary(bytes)
    expect(result).toMatchObject({ ok: false, error: { code: 'component' } })
  })

  it('another version', () => {
    const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0])
    expect(parseWasmBinary(bytes)).toMatchObject({ ok: false, error: { code: 'malformed' } })
  })

  it.each<[string, number, number[]]>([
    ['a section longer than the file', 10, [1, 50]],
    ['a size that does not end', 13, [1, 0x80, 0x80, 0x80, 0x80]],
    ['a size of more than five bytes', 14, [1, 0x80, 0x80, 0x80, 0x80, 0x80, 0]],
    ['a size above 32 bits', 14, [1, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['a count above what V8 accepts', 15, [1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a count without entries', 11, [1, 1, 100]],
    ['an unknown section', 10, [99, 0]],
    ['an unknown type form', 12, [1, 2, 1, 0x5f]],
    ['an unknown value type', 14, [1, 4, 1, 0x60, 1, 0x01]],
    ['an unknown kind of import', 14, [2, 4, 1, 0, 0, 9]],
    ['an import of a type that is not there', 15, [2, 5, 1, 0, 0, 0, 7]],
    ['an export of a function that is not there', 14, [7, 4, 1, 0, 0, 3]],
    ['a name longer than its section', 12, [7, 2, 1, 200]],
    ['bytes left over in a section', 11, [1, 3, 0, 0, 0]],
    ['limits with unknown flags', 12, [5, 3, 1, 0x40, 0]],
  ])('%s, with its offset', (_, offset, bytes) => {
    expect(refusal(...bytes)).toMatchObject({ code: 'malformed', offset })
  })
})

describe('parseWasmBinary survives', () => {
  it('every truncation', () => {
    for (let length = 0; length < SAMPLE.length; length++) {
      const result = parseWasmBinary(SAMPLE.subarray(0, length))
      if (!result.ok) expect(result.error.offset).toBeLessThanOrEqual(length)
    }
  })

  it('every byte replaced by the values that break counts and sizes', () => {
    for (let at = 0; at < SAMPLE.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        expect(typeof parseWasmBinary(SAMPLE.with(at, value)).ok).toBe('boolean')
      }
    }
  })
})
