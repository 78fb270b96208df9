/**
 * One guest's linear memory, seen by host calls: bounds-checked reads and writes, and allocation in
 * the guest. Views are never kept across a call into the guest, since growth detaches them; the two
 * held here are renewed when that has happened (a detached view has length 0).
 */
import { Status } from '../abi/enums.ts'
import type { ByteString } from '../ports.ts'
import { bytesToByteString, bytesToText } from './byte-string.ts'
import { type Literal, Literals, MAX_SIZE } from './literals.ts'

/** The guest's allocator. A method and not a function: one call less, as its class is always the same. */
export interface Allocator {
  /** Takes a size above 0. @returns an address or 0. May trap, may grow memory */
  allocate(size: number): number
}

const TWO_TO_32 = 0x1_0000_0000

export class GuestMemory {
  readonly #memory: WebAssembly.Memory
  readonly #allocator: Allocator
  readonly #literals = new Literals()
  /** Apart from names: some are new for each request, and would drive names out. */
  readonly #values = new Literals()
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView

  constructor(memory: WebAssembly.Memory, allocator: Allocator) {
    this.#memory = memory
    this.#allocator = allocator
    this.#bytes = new Uint8Array(memory.buffer as ArrayBuffer)
    this.#view = new DataView(memory.buffer)
  }

  /** Size of the memory in bytes. */
  get byteLength(): number {
    return this.#memory.buffer.byteLength
  }

  /** The buffer as it is now: valid until the guest runs again. */
  get buffer(): ArrayBuffer {
    return this.#memory.buffer as ArrayBuffer
  }

  #fresh(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length === 0) {
      this.#bytes = new Uint8Array(this.#memory.buffer as ArrayBuffer)
      this.#view = new DataView(this.#memory.buffer)
    }
    return this.#bytes
  }

  /** @returns a view of `length` bytes at `address`, or undefined out of bounds; valid until the guest runs */
  view(address: number, length: number): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.#fresh()
    const start = address >>> 0
    const size = length >>> 0
    return start + size <= bytes.length ? bytes.subarray(start, start + size) : undefined
  }

  /** @returns a copy of `length` bytes at `address`, or undefined out of bounds */
  copy(address: number, length: number): Uint8Array<ArrayBuffer> | undefined {
    return this.view(address, length)?.slice()
  }

  /** @returns the bytes as a byte string, or undefined out of bounds */
  byteString(address: number, length: number): ByteString | undefined {
    const view = this.view(address, length)
    return view && bytesToByteString(view)
  }

  /** @returns the bytes read as UTF-8, or undefined out of bounds */
  text(address: number, length: number): string | undefined {
    const view = this.view(address, length)
    return view && bytesToText(view)
  }

  /** @returns the name, path or key at `address`, or undefined out of bounds */
  literal(address: number, length: number): Literal | undefined {
    const end = this.#fresh().length
    return this.#literals.find(this.#view, end, address >>> 0, length >>> 0)
  }

  /** As `byteString`, for what is often the same: the values that a plugin gives to headers. */
  value(address: number, length: number): ByteString | undefined {
    if (length >>> 0 > MAX_SIZE) return this.byteString(address, length)
    const end = this.#fresh().length
    return this.#values.find(this.#view, end, address >>> 0, length >>> 0)?.text
  }

  /** @returns a header name, lower-cased, or undefined out of bounds */
  headerName(address: number, length: number): ByteString | undefined {
    return this.literal(address, length)?.headerName
  }

  /** Writes a little-endian u32. @returns false out of bounds */
  setUint32(address: number, value: number): boolean {
    const bytes = this.#fresh()
    const at = address >>> 0
    if (at + 4 > bytes.length) return false
    this.#view.setUint32(at, value, true)
    return true
  }

  /** Writes a little-endian u64. @returns false out of bounds */
  setUint64(address: number, value: bigint): boolean {
    const bytes = this.#fresh()
    const at = address >>> 0
    if (at + 8 > bytes.length) return false
    this.#view.setBigUint64(at, value, true)
    return true
  }

  /** Takes `size` > 0 bytes from the guest's allocator. @returns 0 when it has none or answers out of bounds */
  allocate(size: number): number {
    const address = this.#allocator.allocate(size) >>> 0
    return address !== 0 && address + size <= this.#fresh().length ? address : 0
  }

  /**
   * Hands bytes to the guest: allocates there, copies, writes address and size to the two out pointers.
   * Nothing is allocated for no bytes (guests index the first byte): then both are 0.
   */
  returnBytes(bytes: Uint8Array, addressOut: number, sizeOut: number): Status {
    const size = bytes.length
    if (size === 0) return this.#returnAt(0, 0, addressOut, sizeOut)
    const address = this.allocate(size)
    if (address === 0) return Status.InvalidMemoryAccess
    this.#bytes.set(bytes, address)
    return this.#returnAt(address, size, addressOut, sizeOut)
  }

  /**
   * As `returnBytes`, for a byte string.
   * @param of - what it is the value of
   */
  returnByteString(text: ByteString, addressOut: number, sizeOut: number, of?: Literal): Status {
    const size = text.length
    if (size === 0) return this.#returnAt(0, 0, addressOut, sizeOut)
    const address = this.allocate(size)
    if (address === 0) return Status.InvalidMemoryAccess
    // looked at after the allocation: a guest's malloc may make host calls too
    if (of !== undefined && of.valueBytes !== undefined && of.value === text) {
      this.#bytes.set(of.valueBytes, address)
    } else {
      this.#writeByteString(text, address, of)
    }
    return this.#returnAt(address, size, addressOut, sizeOut)
  }

  #writeByteString(text: ByteString, address: number, of: Literal | undefined): void {
    const size = text.length
    const bytes = this.#bytes
    for (let i = 0; i < size; i++) bytes[address + i] = text.charCodeAt(i)
    of?.remember(text, bytes.subarray(address, address + size))
  }

  /** As `returnBytes`, for a whole number as an int64: every integer of JavaScript, or any 64 bits. */
  returnInt64(value: number | bigint, addressOut: number, sizeOut: number): Status {
    const address = this.allocate(8)
    if (address === 0) return Status.InvalidMemoryAccess
    const view = this.#view
    if (typeof value === 'number') {
      view.setUint32(address, value >>> 0, true)
      view.setInt32(address + 4, Math.floor(value / TWO_TO_32), true)
    } else {
      view.setBigInt64(address, value, true)
    }
    return this.#returnAt(address, 8, addressOut, sizeOut)
  }

  /**
   * As `returnBytes`, for `size` bytes that `write` puts in place.
   * @param write - fills the view it is given completely
   */
  returnWritten(
    size: number,
    write: (target: Uint8Array<ArrayBuffer>) => void,
    addressOut: number,
    sizeOut: number,
  ): Status {
    if (size === 0) return this.#returnAt(0, 0, addressOut, sizeOut)
    const address = this.allocate(size)
    if (address === 0) return Status.InvalidMemoryAccess
    write(this.#bytes.subarray(address, address + size))
    return this.#returnAt(address, size, addressOut, sizeOut)
  }

  #returnAt(address: number, size: number, addressOut: number, sizeOut: number): Status {
    const addressAt = addressOut >>> 0
    const sizeAt = sizeOut >>> 0
    const end = this.#fresh().length - 4
    if (addressAt > end) return Status.InvalidMemoryAccess
    this.#view.setUint32(addressAt, address, true)
    // the address has been written by then, as in Envoy
    if (sizeAt > end) return Status.InvalidMemoryAccess
    this.#view.setUint32(sizeAt, size, true)
    return Status.Ok
  }
}
