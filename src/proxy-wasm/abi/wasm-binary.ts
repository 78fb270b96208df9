/**
 * What a wasm binary says about itself: imports and exports with their signatures, limits, custom
 * sections. JavaScript's own reflection has no signatures, and Workers compile nothing in a request,
 * so the bytes are read. Code is not looked at: validation is the engine's.
 * @see https://webassembly.github.io/spec/core/binary/modules.html
 */
import type { Signature } from './signature.ts'
import { MalformedWasm, WasmReader } from './wasm-reader.ts'

/** Limits of a memory (in pages of 64 KiB) or a table (in elements). */
export interface WasmLimits {
  readonly minimum: number
  readonly maximum?: number
  readonly shared: boolean
  readonly is64: boolean
}

export type WasmImport = { readonly module: string; readonly name: string } & (
  | { readonly kind: 'function'; readonly signature: Signature }
  | { readonly kind: 'table' | 'memory'; readonly limits: WasmLimits }
  | { readonly kind: 'global' | 'tag' }
)

export interface WasmExport {
  readonly name: string
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag'
  /** Of a function. */
  readonly signature?: Signature
}

/** One line of the producers section: `language`, `processed-by` or `sdk`, with name and version. */
export interface WasmProducer {
  readonly field: string
  readonly name: string
  readonly version: string
}

export interface WasmBinary {
  readonly imports: readonly WasmImport[]
  /** In the order of the export section. */
  readonly exports: readonly WasmExport[]
  /** Memories the module defines itself. */
  readonly memories: readonly WasmLimits[]
  /** Functions the module defines itself. */
  readonly functionCount: number
  /** Whether a start function runs at instantiation. */
  readonly hasStart: boolean
  readonly customSections: readonly { readonly name: string; readonly size: number }[]
  readonly producers: readonly WasmProducer[]
}

export interface WasmBinaryError {
  readonly code: 'not-wasm' | 'component' | 'malformed'
  /** Of the first byte that makes no sense. */
  readonly offset: number
  readonly message: string
}

export type WasmBinaryResult =
  | { readonly ok: true; readonly value: WasmBinary }
  | { readonly ok: false; readonly error: WasmBinaryError }

/** V8's limits on a module. */
const MAX_ENTRIES = 1_000_000
const MAX_PARAMS = 1000

const LAST_SECTION = 13
const EXTERNAL_KINDS = ['function', 'table', 'memory', 'global', 'tag'] as const

const VALUE_TYPES: Readonly<Record<number, string>> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  0x70: 'funcref',
  0x6f: 'externref',
  0x69: 'exnref',
}

/**
 * @param bytes - the whole file
 * @returns what it says; an error with its offset for anything that is no well-formed module, never a throw
 */
export function parseWasmBinary(bytes: Uint8Array): WasmBinaryResult {
  const [a, b, c, d, version, , layer] = bytes
  if (a !== 0 || b !== 0x61 || c !== 0x73 || d !== 0x6d) {
    return refuse('not-wasm', 0, 'The file is no WebAssembly: it does not begin with \\0asm.')
  }
  if (layer === 1) {
    return refuse(
      'component',
      4,
      'The file is a WebAssembly component; Proxy-Wasm needs a core module. Build it for wasm32-wasip1 or wasm32-unknown-unknown, not wasip2.',
    )
  }
  if (version !== 1) return refuse('malformed', 4, `WebAssembly version ${version} is not known.`)
  try {
    return { ok: true, value: new Sections(new WasmReader(bytes, 8)).read() }
  } catch (error) {
    if (!(error instanceof MalformedWasm)) throw error
    return refuse('malformed', error.offset, `At byte ${error.offset}: ${error.message}.`)
  }
}

function refuse(code: WasmBinaryError['code'], offset: number, message: string): WasmBinaryResult {
  return { ok: false, error: { code, offset, message } }
}

class Sections {
  readonly #file: WasmReader
  readonly #types: Signature[] = []
  readonly #imports: WasmImport[] = []
  /** Per function, imported ones first: the index of its type. */
  readonly #functionTypes: number[] = []
  readonly #exports: WasmExport[] = []
  readonly #memories: WasmLimits[] = []
  readonly #customSections: { name: string; size: number }[] = []
  readonly #producers: WasmProducer[] = []
  #functionCount = 0
  #hasStart = false

  constructor(file: WasmReader) {
    this.#file = file
  }

  read(): WasmBinary {
    while (!this.#file.atEnd) {
      const id = this.#file.byte()
      const size = this.#file.u32()
      if (id > LAST_SECTION) this.#file.fail(`section ${id} is not known`)
      this.#readSection(id, size, this.#file.section(size))
    }
    return {
      imports: this.#imports,
      exports: this.#exports,
      memories: this.#memories,
      functionCount: this.#functionCount,
      hasStart: this.#hasStart,
      customSections: this.#customSections,
      producers: this.#producers,
    }
  }

  #readSection(id: number, size: number, section: WasmReader): void {
    if (id === 0) return this.#readCustom(size, section)
    else if (id === 1) this.#readEach(section, 'types', () => this.#types.push(readType(section)))
    else if (id === 2) this.#readEach(section, 'imports', () => this.#readImport(section))
    else if (id === 3) this.#readEach(section, 'functions', () => this.#readFunction(section))
    else if (id === 5) {
      this.#readEach(section, 'memories', () => this.#memories.push(readLimits(section)))
    } else if (id === 7) this.#readEach(section, 'exports', () => this.#readExport(section))
    else if (id === 8) {
      section.u32()
      this.#hasStart = true
    } else return
    if (!section.atEnd) section.fail('bytes left over in a section')
  }

  #readEach(section: WasmReader, what: string, read: () => void): void {
    for (let left = section.count(MAX_ENTRIES, what); left > 0; left--) read()
  }

  #readFunction(section: WasmReader): void {
    this.#functionTypes.push(section.u32())
    this.#functionCount += 1
  }

  #readImport(section: WasmReader): void {
    const module = section.name()
    const name = section.name()
    const kind = readKind(section)
    if (kind === 'function') {
      const type = section.u32()
      this.#functionTypes.push(type)
      this.#imports.push({ module, name, kind, signature: this.#signature(section, type) })
    } else if (kind === 'table' || kind === 'memory') {
      if (kind === 'table') readValueType(section)
      this.#imports.push({ module, name, kind, limits: readLimits(section) })
    } else {
      if (kind === 'global') readValueType(section)
      section.u32() // mutability of a global; attribute, then type, of a tag
      if (kind === 'tag') section.u32()
      this.#imports.push({ module, name, kind })
    }
  }

  #readExport(section: WasmReader): void {
    const name = section.name()
    const kind = readKind(section)
    const index = section.u32()
    if (kind !== 'function') return void this.#exports.push({ name, kind })
    const type = this.#functionTypes[index]
    if (type === undefined) return section.fail(`function ${index} does not exist`)
    this.#exports.push({ name, kind, signature: this.#signature(section, type) })
  }

  #signature(section: WasmReader, type: number): Signature {
    return this.#types[type] ?? section.fail(`type ${type} does not exist`)
  }

  #readCustom(size: number, section: WasmReader): void {
    const name = section.name()
    this.#customSections.push({ name, size })
    if (name !== 'producers') return
    try {
      readProducers(section, this.#producers)
    } catch (error) {
      // the contents of a custom section never make a module invalid
      if (!(error instanceof MalformedWasm)) throw error
    }
  }
}

function readKind(section: WasmReader): (typeof EXTERNAL_KINDS)[number] {
  const kind = section.byte()
  return EXTERNAL_KINDS[kind] ?? section.fail(`kind ${kind} of import or export is not known`)
}

function readType(section: WasmReader): Signature {
  const form = section.byte()
  if (form !== 0x60) section.fail(`type form 0x${form.toString(16)} is no function type`)
  return { params: readValueTypes(section), results: readValueTypes(section) }
}

function readValueTypes(section: WasmReader): string[] {
  const types: string[] = []
  for (let left = section.count(MAX_PARAMS, 'parameters'); left > 0; left--) {
    types.push(readValueType(section))
  }
  return types
}

function readValueType(section: WasmReader): string {
  const code = section.byte()
  if (code === 0x63 || code === 0x64) {
    section.skipLeb(33)
    return 'ref'
  }
  return VALUE_TYPES[code] ?? section.fail(`value type 0x${code.toString(16)} is not known`)
}

/** Flags: 1 has a maximum, 2 is shared, 4 is 64-bit. */
function readLimits(section: WasmReader): WasmLimits {
  const flags = section.byte()
  if (flags > 7) section.fail(`limits with flags ${flags} are not known`)
  const shared = (flags & 2) !== 0
  const is64 = (flags & 4) !== 0
  const minimum = is64 ? section.u64() : section.u32()
  if ((flags & 1) === 0) return { minimum, shared, is64 }
  return { minimum, maximum: is64 ? section.u64() : section.u32(), shared, is64 }
}

function readProducers(section: WasmReader, producers: WasmProducer[]): void {
  for (let fields = section.count(MAX_PARAMS, 'fields'); fields > 0; fields--) {
    const field = section.name()
    for (let values = section.count(MAX_PARAMS, 'values'); values > 0; values--) {
      producers.push({ field, name: section.name(), version: section.name() })
    }
  }
}
