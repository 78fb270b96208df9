/**
 * Stands in for the catalog where nobody knows the modules: every plugin finds one.
 * @param resources the plugins whose modules are to be found
 */
import { declaredPlugins, declaresPlugins } from '../config/compile/declared-plugin.ts'
import type { CatalogModule, ModuleCatalog } from '../config/compile/module-catalog.ts'
import type { Resource } from '../config/resources/kinds.ts'

/** The sha256 of no module. */
const NONE = '0'.repeat(64)

export function uncheckedModules(resources: readonly Resource[]): ModuleCatalog {
  const plugins = resources.filter(declaresPlugins).flatMap((one) => declaredPlugins(one))
  return plugins.map(({ url, sha256 }): CatalogModule => ({
    name: url,
    version: '',
    sha256: sha256 || NONE,
    urls: [url],
  }))
}
