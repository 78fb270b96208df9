/**
 * A module as the generated registry (`plugins/registry.ts`) lists it: compiled, named, and with the
 * part of its inspect report that is needed at run time and that JavaScript cannot find out there.
 */
import type { AbiVersion } from './abi/enums.ts'
import type { InspectReport } from './abi/inspect.ts'
import type { ImportLimits } from './vm/loaded-module.ts'

export interface ModuleFacts {
  readonly abi: AbiVersion
  /** The exported `proxy_on_*` functions. */
  readonly callbacks: readonly string[]
  /** `module.name` of each imported function, with its signature as `(i32, i64) -> i32`. */
  readonly imports: Readonly<Record<string, string>>
  /** The memory that the guest runs in, in pages of 64 KiB. */
  readonly memory: ImportLimits
  readonly importedMemory?: ImportLimits
  readonly importedTable?: ImportLimits
}

export interface RegisteredModule {
  readonly name: string
  readonly version: string
  /** SHA-256 of the original bytes, lower-case hex: the module's identity. */
  readonly sha256: string
  /** Where registries hold the same bytes. */
  readonly urls: readonly string[]
  /** Of the bound file, in bytes. */
  readonly size: number
  readonly module: WebAssembly.Module
  readonly facts: ModuleFacts
}

/**
 * @param report - of a module that is `ok`
 * @returns what of it the registry keeps
 * @throws Error when the module cannot run: it must not get into a registry
 */
export function moduleFacts(report: InspectReport): ModuleFacts {
  const { abi, memory } = report
  if (!report.ok || abi === null || memory === null) {
    throw new Error(report.problems.map(({ message }) => message).join(' '))
  }
  const { imported: _imported, ...limits } = memory
  const functions = [...report.hostFunctions, ...report.unknownImports]
  return {
    abi,
    callbacks: report.callbacks.map(({ name }) => name),
    imports: Object.fromEntries(
      functions.map(({ module, name, signature }) => [`${module}.${name}`, signature]),
    ),
    memory: limits,
    ...(report.importedMemory && { importedMemory: report.importedMemory }),
    ...(report.importedTable && { importedTable: report.importedTable }),
  }
}
