/**
 * Checks the names under `allowedCapabilities` against the ABI's tables. Done here and not on the
 * gateway, whose bundle does without the tables: an unknown name allows nothing there.
 */
import { nearest } from '../config/nearest.ts'
import type { PlacedProblem, PlacedResource } from '../config/documents.ts'
import { resourceKey } from '../config/resources/resource-key.ts'
import { CALLBACKS } from '../proxy-wasm/abi/callbacks.ts'
import { HOST_FUNCTIONS } from '../proxy-wasm/abi/host-functions.ts'
import { WASI_FUNCTIONS } from '../proxy-wasm/abi/wasi-functions.ts'

/** @returns a problem per name that is neither a host call nor a callback */
export function checkCapabilities(resources: readonly PlacedResource[]): readonly PlacedProblem[] {
  const known = new Set([...HOST_FUNCTIONS, ...WASI_FUNCTIONS, ...CALLBACKS].map((row) => row.name))
  const problems: PlacedProblem[] = []
  for (const { resource, place } of resources) {
    if (resource.kind !== 'PluginPolicy') continue
    for (const [index, name] of (resource.spec.allowedCapabilities ?? []).entries()) {
      if (known.has(name)) continue
      const near = nearest(name, known)
      const hint = near === undefined ? 'see the table in README.md' : `did you mean ${near}?`
      const about = {
        code: 'config.invalid',
        severity: 'error',
        resource: resourceKey(resource),
        path: ['spec', 'allowedCapabilities', index],
        message: `there is no host call or callback ${JSON.stringify(name)}; ${hint}`,
      } as const
      problems.push({ ...about, ...place(about) })
    }
  }
  return problems
}
