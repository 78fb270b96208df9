/**
 * What foreign functions need of the platform and Web APIs have only asynchronously: a host call has to
 * answer before it returns. Workers (compatibility dates from 2026-08-04, or `nodejs_compat`) and Node
 * have both modules built in; where there is none, the functions that need them are not there either.
 */

/** Of `node:zlib`. */
export interface SyncZlib {
  deflateSync(bytes: Uint8Array): Uint8Array
  inflateSync(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Uint8Array
}

interface KeyInput {
  readonly key: Uint8Array | string
  readonly format: 'der' | 'pem'
  readonly type?: 'spki' | 'pkcs8'
}

/** Of `node:crypto`. */
export interface SyncCrypto {
  createPublicKey(key: KeyInput): object
  createPrivateKey(key: KeyInput): object
  sign(hash: string, text: Uint8Array, key: object): Uint8Array
  verify(hash: string, text: Uint8Array, key: object, signature: Uint8Array): boolean
}

interface BuiltinModules {
  readonly 'node:zlib': SyncZlib
  readonly 'node:crypto': SyncCrypto
}

interface Process {
  readonly getBuiltinModule?: (name: string) => unknown
}

/** @returns the module, or undefined on a platform without it; no bundler follows this */
export function builtinModule<Name extends keyof BuiltinModules>(
  name: Name,
): BuiltinModules[Name] | undefined {
  const { process } = globalThis as { readonly process?: Process }
  return process?.getBuiltinModule?.(name) as BuiltinModules[Name] | undefined
}
