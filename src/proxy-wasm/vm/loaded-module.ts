/**
 * A compiled module that has been checked against the ABI: what it exports and imports, found once.
 * Instances are made from it; it holds no state of its own.
 */
import type { AbiVersion } from '../abi/enums.ts'
import { detectAbiVersion } from '../abi/version.ts'
import { LoadError } from '../errors.ts'

/** How a module wants to be started (Envoy's rules: `_start` counts only without `_initialize`). */
export type StartConvention = '_initialize' | '_initialize+main' | '_start' | 'none'

/** Limits of an imported memory or table; JavaScript cannot see them in a compiled module. */
export interface ImportLimits {
  readonly initial: number
  readonly maximum?: number
}

export interface LoadedModule {
  /** SHA-256 of the original bytes, lower-case hex: the module's identity. */
  readonly sha256: string
  readonly module: WebAssembly.Module
  readonly abi: AbiVersion
  readonly start: StartConvention
  readonly imports: readonly WebAssembly.ModuleImportDescriptor[]
  readonly importedMemory: ImportLimits
  readonly importedTable: ImportLimits
}

export interface LoadModuleOptions {
  /** From the module's inspect report; 16 pages by default, enough for a guest that says nothing. */
  readonly importedMemory?: ImportLimits | undefined
  readonly importedTable?: ImportLimits | undefined
}

/**
 * Checks a compiled module.
 * @param module - compiled elsewhere: Workers refuse to compile in a request
 * @param sha256 - of its bytes, lower-case hex
 * @throws LoadError `module.invalid` when it is no Proxy-Wasm module this host can run
 */
export function loadModule(
  module: WebAssembly.Module,
  sha256: string,
  options: LoadModuleOptions = {},
): LoadedModule {
  const functions = WebAssembly.Module.exports(module)
    .filter((exported) => exported.kind === 'function')
    .map((exported) => exported.name)
  const names = new Set(functions)
  const detected = detectAbiVersion(functions)
  if (!detected.ok) throw new LoadError('module.invalid', detected.error.message)
  if (!names.has('malloc') && !names.has('proxy_on_memory_allocate')) {
    throw new LoadError(
      'module.invalid',
      'The module exports neither malloc nor proxy_on_memory_allocate, so the host cannot hand it data. Build it with a Proxy-Wasm SDK.',
    )
  }
  return {
    sha256,
    module,
    abi: detected.value,
    start: startConvention(names),
    imports: WebAssembly.Module.imports(module) as WebAssembly.ModuleImportDescriptor[],
    importedMemory: options.importedMemory ?? { initial: 16 },
    importedTable: options.importedTable ?? { initial: 0 },
  }
}

/**
 * Stands for a module that cannot be had, so that a plugin can be made all the same, does not start, and
 * follows its fail strategy.
 * @param why - thrown whenever a vm is to be made of it
 */
export function missingModule(sha256: string, why: LoadError): LoadedModule {
  return {
    sha256,
    get module(): never {
      throw why
    },
    abi: '0.2.1',
    start: 'none',
    imports: [],
    importedMemory: { initial: 0 },
    importedTable: { initial: 0 },
  }
}

function startConvention(names: ReadonlySet<string>): StartConvention {
  if (names.has('_initialize')) return names.has('main') ? '_initialize+main' : '_initialize'
  return names.has('_start') ? '_start' : 'none'
}
