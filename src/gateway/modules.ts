/**
 * Where compiled modules come from. The bound tier gives what was deployed with the Worker; another
 * tier would be another implementation of the same port.
 */
import { type LoadedModule, loadModule, type RegisteredModule } from '../proxy-wasm/index.ts'

export interface ModuleSource {
  /** Every module that can run here. */
  readonly modules: readonly RegisteredModule[]
  /**
   * @returns the checked module, or undefined when no module of that identity is bound
   * @throws LoadError when it is bound but is no module this host can run
   */
  load(sha256: string): LoadedModule | undefined
}

/** The modules that were deployed with the Worker. Each is checked when it is first asked for. */
export function boundModules(modules: readonly RegisteredModule[]): ModuleSource {
  const byHash = new Map(modules.map((bound) => [bound.sha256, bound]))
  const loaded = new Map<string, LoadedModule>()
  return {
    modules,
    load(sha256) {
      const known = loaded.get(sha256)
      if (known) return known
      const bound = byHash.get(sha256)
      if (bound === undefined) return undefined
      const { importedMemory, importedTable } = bound.facts
      const module = loadModule(bound.module, sha256, { importedMemory, importedTable })
      loaded.set(sha256, module)
      return module
    },
  }
}
