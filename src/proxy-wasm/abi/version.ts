/**
 * Which version of the ABI a module speaks: it says so by exporting a marker function that is never
 * called. Works on names alone, so the inspector (bytes) and the loader (compiled module) share it.
 */
import { ABI_VERSIONS, type AbiVersion } from './enums.ts'

/** Why there is no version this host can run. */
export interface AbiVersionError {
  readonly code: 'abi-missing' | 'abi-unsupported'
  readonly message: string
}

export type AbiVersionResult =
  | { readonly ok: true; readonly value: AbiVersion }
  | { readonly ok: false; readonly error: AbiVersionError }

const MARKER_PREFIX = 'proxy_abi_version_'

const VERSION_OF_MARKER: ReadonlyMap<string, AbiVersion> = new Map(
  ABI_VERSIONS.map((version) => [MARKER_PREFIX + version.replaceAll('.', '_'), version]),
)

/** Markers that are known and still refused, with the way out. */
const REFUSED: Readonly<Record<string, string>> = {
  proxy_abi_version_0_2_100:
    'The module speaks 0.2.100, the ABI of Higress: there a returned Pause means something else and ' +
    'extra host calls exist. Build it with github.com/proxy-wasm/proxy-wasm-go-sdk instead of the Higress fork.',
}

/**
 * @param exportedFunctions - names of the exported functions, in the order of the export section
 * @returns the version of the first known marker, as in the reference host; else why there is none
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#proxy_abi_version_0_2_1
 */
export function detectAbiVersion(exportedFunctions: Iterable<string>): AbiVersionResult {
  let unknown: string | undefined
  for (const name of exportedFunctions) {
    const value = VERSION_OF_MARKER.get(name)
    if (value !== undefined) return { ok: true, value }
    if (name.startsWith(MARKER_PREFIX)) unknown ??= name
  }
  if (unknown !== undefined) {
    const message =
      REFUSED[unknown] ??
      `The module exports ${unknown}, a version this host does not know. It runs ${ABI_VERSIONS.join(', ')}.`
    return { ok: false, error: { code: 'abi-unsupported', message } }
  }
  return {
    ok: false,
    error: {
      code: 'abi-missing',
      message:
        'The module exports no proxy_abi_version_* function, so it is no Proxy-Wasm plugin. ' +
        'Build it with a Proxy-Wasm SDK, and as a library (Rust: crate-type cdylib) so that its exports are kept.',
    },
  }
}
