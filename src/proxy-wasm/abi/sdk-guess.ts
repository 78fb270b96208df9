/**
 * Which SDK a module was probably built with. A guess for people: nothing is decided by it.
 */
import type { WasmBinary } from './wasm-binary.ts'

export type Sdk = 'rust' | 'go' | 'tinygo' | 'assemblyscript' | 'c++' | 'unknown'

/**
 * The compiler says so in the producers section unless that was stripped; then what only one
 * toolchain exports or imports does.
 */
export function guessSdk(binary: WasmBinary): Sdk {
  const produced = new Set(
    binary.producers.map(({ name }) => name.toLowerCase()).map((name) => name.split(/[ _]/)[0]),
  )
  const exported = new Set(binary.exports.map(({ name }) => name))
  const imported = new Set(binary.imports.map(({ module, name }) => `${module}.${name}`))
  const exportsAny = (...names: string[]): boolean => names.some((name) => exported.has(name))
  const sections = binary.customSections.map(({ name }) => name)

  if (produced.has('rust') || produced.has('rustc')) return 'rust'
  if (produced.has('tinygo')) return 'tinygo'
  if (produced.has('go') || sections.includes('go:buildid')) return 'go'
  // its SDK exports this callback under a name that nobody else uses
  if (exportsAny('__new', '__pin', '__rtti_base', 'proxy_on_grpc_trailing_metadata')) {
    return 'assemblyscript'
  }
  if (imported.has('env.abort')) return 'assemblyscript'
  if (produced.has('c') || produced.has('c++') || produced.has('emscripten')) return 'c++'
  if (imported.has('env.emscripten_notify_memory_growth')) return 'c++'
  if (exportsAny('emscripten_stack_get_current', 'stackSave', '_emscripten_stack_restore')) {
    return 'c++'
  }
  return guessFromMarker(exported, imported)
}

/** What is left of a stripped module: Go's SDK alone says 0.2.0, and each allocates by other names. */
function guessFromMarker(exported: ReadonlySet<string>, imported: ReadonlySet<string>): Sdk {
  // written by hand
  if (!exported.has('proxy_on_context_create')) return 'unknown'
  if (exported.has('proxy_abi_version_0_2_0')) {
    // Go's scheduler yields, TinyGo's does not
    return imported.has('wasi_snapshot_preview1.sched_yield') ? 'go' : 'tinygo'
  }
  if (!exported.has('proxy_abi_version_0_2_1')) return 'unknown'
  // of the SDKs of 0.2.1 this one alone builds commands, the others libraries
  if (exported.has('_start')) return 'assemblyscript'
  if (exported.has('proxy_on_memory_allocate')) return 'rust'
  if (!exported.has('malloc')) return 'unknown'
  return exported.has('free') ? 'c++' : 'rust'
}
