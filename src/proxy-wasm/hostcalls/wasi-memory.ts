/**
 * Bounds-checked access to guest memory for the WASI calls. Addresses and sizes are i32 as they
 * arrive; each function answers whether it could do its work, and touches nothing when it could not.
 */

/** @returns the bytes, as a view that is valid until the guest runs again; undefined out of bounds */
export function viewOf(
  memory: ArrayBuffer,
  address: number,
  size: number,
): Uint8Array<ArrayBuffer> | undefined {
  const start = address >>> 0
  const length = size >>> 0
  return start + length <= memory.byteLength ? new Uint8Array(memory, start, length) : undefined
}

/** @returns false out of bounds */
export function writeUint32(memory: ArrayBuffer, address: number, value: number): boolean {
  const view = viewOf(memory, address, 4)
  if (view === undefined) return false
  new DataView(memory, view.byteOffset, 4).setUint32(0, value, true)
  return true
}

/** @returns false out of bounds */
export function writeUint64(memory: ArrayBuffer, address: number, value: bigint): boolean {
  const view = viewOf(memory, address, 8)
  if (view === undefined) return false
  new DataView(memory, view.byteOffset, 8).setBigUint64(0, value, true)
  return true
}
