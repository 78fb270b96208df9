/**
 * The half of an inspection that looks at what a module wants from the host.
 */
import type { AbiVersion } from './enums.ts'
import { HOST_FUNCTIONS, type HostFunctionRow } from './host-functions.ts'
import type { Finding } from './inspect.ts'
import { printSignature, sameSignature, signatureOf, type Signature } from './signature.ts'
import { WASI_FUNCTIONS, WASI_MODULES, type WasiFunctionRow } from './wasi-functions.ts'
import type { WasmBinary } from './wasm-binary.ts'

/** An imported function, with its signature as `(i32, i64) -> i32`. */
export interface ImportedFunction {
  readonly module: string
  readonly name: string
  readonly signature: string
}

export interface ImportFindings {
  /** Imported functions this host has. */
  readonly hostFunctions: readonly (ImportedFunction & { readonly support: 'full' | 'answers' })[]
  /** Those it does not have: they link to a stub that answers Unimplemented. */
  readonly unknownImports: readonly ImportedFunction[]
  /** Known functions declared with another signature than the table's. */
  readonly mismatches: readonly (ImportedFunction & { readonly expected: string })[]
}

interface CheckedImports extends ImportFindings {
  readonly problems: readonly Finding[]
  readonly warnings: readonly Finding[]
}

type Row = HostFunctionRow | WasiFunctionRow

const ENV_ROWS: ReadonlyMap<string, Row> = new Map(HOST_FUNCTIONS.map((row) => [row.name, row]))
const WASI_ROWS: ReadonlyMap<string, Row> = new Map(WASI_FUNCTIONS.map((row) => [row.name, row]))

function findRow(module: string, name: string): Row | undefined {
  if (module === 'env') return ENV_ROWS.get(name)
  return WASI_MODULES.includes(module) ? WASI_ROWS.get(name) : undefined
}

/** @param abi - the module's version, or null when it has none: then versions are not compared */
export function checkImports(binary: WasmBinary, abi: AbiVersion | null): CheckedImports {
  const hostFunctions: (ImportedFunction & { support: 'full' | 'answers' })[] = []
  const unknownImports: ImportedFunction[] = []
  const mismatches: (ImportedFunction & { expected: string })[] = []
  const problems: Finding[] = []
  const warnings: Finding[] = []
  const answering: string[] = []
  const warn = (code: string, message: string): void => void warnings.push({ code, message })

  for (const entry of binary.imports) {
    const { module, name, kind } = entry
    if (kind === 'memory' || kind === 'table') {
      if (entry.limits.is64) problems.push(is64(`The imported ${kind} ${module}.${name}`))
      continue
    }
    if (kind !== 'function') {
      problems.push({
        code: `import-${kind}`,
        message: `The module imports the ${kind} ${module}.${name}; the host provides functions, a memory and a table only.`,
      })
      continue
    }
    const signature = printSignature(entry.signature)
    const row = findRow(module, name)
    if (row === undefined) {
      unknownImports.push({ module, name, signature })
      // how many results there are is not known where it is linked
      const outcome = entry.signature.results.length > 1 ? 'traps' : 'answers Unimplemented'
      warn('unknown-import', `${module}.${name} ${signature} is unknown: a call ${outcome}.`)
      continue
    }
    hostFunctions.push({ module, name, signature, support: row.support })
    if (!matches(row, entry.signature)) {
      const expected = printSignature(signatureOf(row.params, row.result))
      mismatches.push({ module, name, signature, expected })
      warn('import-signature', `${module}.${name} is declared ${signature}, but it is ${expected}.`)
    }
    if ('group' in row) {
      if (row.support === 'answers') answering.push(name)
      if (abi !== null && row.versions.length > 0 && !row.versions.includes(abi)) {
        warn(
          'other-version',
          `${name} belongs to ${row.versions.join(' and ')}, not to ${abi}: it works here, but Envoy refuses the module.`,
        )
      }
    }
  }
  if (answering.length > 0) {
    // SDKs import all they know, used or not: one line is enough
    warn('answers-only', `Imported, and not working if used: ${answering.join(', ')}.`)
  }
  for (const limits of binary.memories) if (limits.is64) problems.push(is64('The memory'))
  return { hostFunctions, unknownImports, mismatches, problems, warnings }
}

function is64(what: string): Finding {
  return { code: 'memory64', message: `${what} is 64-bit; Proxy-Wasm addresses are 32-bit.` }
}

function matches(row: Row, declared: Signature): boolean {
  if (sameSignature(declared, signatureOf(row.params, row.result))) return true
  return (
    'specResult' in row &&
    row.specResult !== undefined &&
    sameSignature(declared, signatureOf(row.params, row.specResult))
  )
}
