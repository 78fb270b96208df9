/**
 * The WASI calls, for both module names that guests import them from (`wasi_snapshot_preview1`,
 * `wasi_unstable`). A missing import is the most common reason why a plugin does not load elsewhere,
 * so all of preview 1 is here; abi/wasi-functions.ts has the signatures.
 */
import { environmentFunctions } from './wasi-environment.ts'
import { fileFunctions } from './wasi-files.ts'
import type { WasiFunctions, WasiHost } from './wasi-host.ts'
import { outputFunctions } from './wasi-output.ts'

export type { WasiHost } from './wasi-host.ts'

/**
 * @param host - what stands behind the calls; its memory is asked for on each call
 * @returns every function by its name; none of them throws
 * @see https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */
export function wasiFunctions(host: WasiHost): WasiFunctions {
  return { ...outputFunctions(host), ...environmentFunctions(host), ...fileFunctions(host) }
}
