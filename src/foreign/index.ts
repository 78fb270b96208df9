/**
 * Foreign functions as Envoy has them, and how to add one's own:
 *
 * ```ts
 * import { envoyFunctions } from 'postern/foreign'
 *
 * const foreignFunctions = envoyFunctions().register('geo', (args, caller) => lookUp(args))
 * app.use(proxyWasm({ plugins, ports: { foreignFunctions } }))
 * ```
 *
 * The `expr_*` functions are apart (`cel.ts`): CEL weighs more than the rest of the gateway.
 * @module
 */
import { ForeignFunctionRegistry } from '../proxy-wasm/index.ts'
import { compressionFunctions } from './compression.ts'
import { filterStateFunctions } from './filter-state.ts'
import { builtinModule } from './platform.ts'
import { signatureFunctions } from './signatures.ts'

export interface EnvoyFunctionsOptions {
  /** Names that `set_envoy_filter_state` takes beside Envoy's plain ones. */
  readonly filterStateObjects?: Iterable<string>
}

/**
 * A new registry with Envoy's functions. `compress`, `uncompress`, `sign` and `verify_signature` are in it
 * where the platform has what they need (Workers and Node do); elsewhere they are `NotFound`, as in an
 * Envoy built without.
 */
export function envoyFunctions(options: EnvoyFunctionsOptions = {}): ForeignFunctionRegistry {
  const zlib = builtinModule('node:zlib')
  const crypto = builtinModule('node:crypto')
  return new ForeignFunctionRegistry()
    .registerAll(filterStateFunctions(options.filterStateObjects))
    .registerAll(zlib ? compressionFunctions(zlib) : {})
    .registerAll(crypto ? signatureFunctions(crypto) : {})
}
