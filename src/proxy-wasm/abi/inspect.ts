/**
 * What a .wasm file is to this host: bytes in, plain JSON out. Says everything that refuses the module
 * at once, and what will not work though it loads. `postern add` and `postern inspect` show it; the
 * registry keeps the part of it that is needed at run time.
 */
import type { ImportLimits, StartConvention } from '../vm/loaded-module.ts'
import type { AbiVersion } from './enums.ts'
import { checkExports } from './inspect-exports.ts'
import { checkImports, type ImportFindings } from './inspect-imports.ts'
import { guessSdk, type Sdk } from './sdk-guess.ts'
import { detectAbiVersion } from './version.ts'
import {
  parseWasmBinary,
  type WasmBinary,
  type WasmLimits,
  type WasmProducer,
} from './wasm-binary.ts'

/** Something to know about a module; `code` is stable. */
export interface Finding {
  readonly code: string
  readonly message: string
}

export interface InspectReport extends ImportFindings {
  /** Whether the module can run: there are no problems. */
  readonly ok: boolean
  /** Of the file, in bytes. */
  readonly size: number
  readonly abi: AbiVersion | null
  readonly allocator: 'malloc' | 'proxy_on_memory_allocate' | null
  readonly start: StartConvention
  readonly sdk: Sdk
  /** What is exported for the host to call; `never`: exported, but its event does not happen here. */
  readonly callbacks: readonly { readonly name: string; readonly support: 'full' | 'never' }[]
  /** The memory that the guest runs in. */
  readonly memory: (ImportLimits & { readonly imported: boolean }) | null
  readonly importedMemory: ImportLimits | null
  readonly importedTable: ImportLimits | null
  readonly functionCount: number
  readonly customSections: readonly { readonly name: string; readonly size: number }[]
  readonly producers: readonly WasmProducer[]
  /** Each of them refuses the module. */
  readonly problems: readonly Finding[]
  readonly warnings: readonly Finding[]
}

/** 128 MiB: what an isolate on Workers has for all of its vms and itself. */
const ISOLATE_PAGES = 2048

/** What is reported of bytes that are no module. */
const NOTHING: WasmBinary = {
  imports: [],
  exports: [],
  memories: [],
  functionCount: 0,
  hasStart: false,
  customSections: [],
  producers: [],
}

/**
 * @param bytes - the whole file
 * @returns the report; `ok` tells whether the module can run. Never throws, whatever the bytes
 */
export function inspect(bytes: Uint8Array): InspectReport {
  const parsed = parseWasmBinary(bytes)
  if (!parsed.ok) {
    const { code, message } = parsed.error
    return report(bytes, NOTHING, null, [{ code, message }], [])
  }
  const binary = parsed.value
  const functions = binary.exports.filter(({ kind }) => kind === 'function')
  const abi = detectAbiVersion(functions.map(({ name }) => name))
  const problems: Finding[] = abi.ok ? [] : [abi.error]
  const warnings: Finding[] = []
  if (binary.hasStart) {
    warnings.push({
      code: 'start-section',
      message: 'A start function runs at instantiation, before the host can reach the memory.',
    })
  }
  return report(bytes, binary, abi.ok ? abi.value : null, problems, warnings)
}

function report(
  bytes: Uint8Array,
  binary: WasmBinary,
  abi: AbiVersion | null,
  found: readonly Finding[],
  warned: readonly Finding[],
): InspectReport {
  const exports = checkExports(binary, abi)
  const imports = checkImports(binary, abi)
  const unreadable = binary === NOTHING
  const problems = unreadable ? found : [...found, ...exports.problems, ...imports.problems]
  const warnings = unreadable ? [] : [...warned, ...exports.warnings, ...imports.warnings]

  const importedMemory = importLimits(binary, 'memory')
  const own = binary.memories[0]
  const memory = own ? toImportLimits(own) : importedMemory
  if (memory !== null && memory !== undefined && memory.initial > ISOLATE_PAGES) {
    warnings.push({
      code: 'memory-large',
      message: `It starts with ${memory.initial / 16} MiB of memory; an isolate on Workers has 128 MiB in all.`,
    })
  }
  return {
    ok: problems.length === 0,
    size: bytes.length,
    abi,
    allocator: exports.allocator,
    start: exports.start,
    sdk: guessSdk(binary),
    callbacks: exports.callbacks,
    hostFunctions: imports.hostFunctions,
    unknownImports: imports.unknownImports,
    mismatches: imports.mismatches,
    memory: memory && { ...memory, imported: own === undefined },
    importedMemory,
    importedTable: importLimits(binary, 'table'),
    functionCount: binary.functionCount,
    customSections: binary.customSections,
    producers: binary.producers,
    problems,
    warnings,
  }
}

function importLimits(binary: WasmBinary, kind: 'memory' | 'table'): ImportLimits | null {
  for (const entry of binary.imports) {
    if (entry.kind === kind && 'limits' in entry) return toImportLimits(entry.limits)
  }
  return null
}

function toImportLimits({ minimum, maximum }: WasmLimits): ImportLimits {
  return maximum === undefined ? { initial: minimum } : { initial: minimum, maximum }
}
