/** Rows of the table of host functions by name, for tests. */
import { HOST_FUNCTIONS, type HostFunctionRow } from '../../src/proxy-wasm/abi/host-functions.ts'

/** @returns the table's row */
export function rowOf(name: string): HostFunctionRow {
  const row = HOST_FUNCTIONS.find((entry) => entry.name === name)
  if (row === undefined) throw new Error(`${name} is not in the table`)
  return row
}
