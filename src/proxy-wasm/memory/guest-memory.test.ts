import { describe, expect, it } from 'vitest'
import { Status } from '../abi/enums.ts'
import { bytesToText, textToBytes } from './byte-string.ts'
import { GuestMemory } from './guest-memory.ts'

const PAGE = 65_536

/** A memory of one page whose allocator answers `address`; `grow` grows it first. */
function guest(address: number | ((size: number) => number) = 1024, grow = false) {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const asked: number[] = []
  const guestMemory = new GuestMemory(memory, {
    allocate(size) {
      asked.push(size)
      if (grow) memory.grow(1)
      return typeof address === 'number' ? address : address(size)
    },
  })
  const write = (at: number, text: string): void => {
    new Uint8Array(memory.buffer).set(textToBytes(text), at)
  }
  const read = (at: number, size: number): string =>
    bytesToText(new Uint8Array(memory.buffer, at, size))
  const uint32 = (at: number): number => new DataView(memory.buffer).getUint32(at, true)
  return { memory, guestMemory, asked, write, read, uint32 }
}

describe('reading guest memory', () => {
  it('gives bytes, byte strings and text', () => {
    const { guestMemory, write } = guest()
    write(10, 'a\u00e9')
    expect(guestMemory.copy(10, 3)).toEqual(Uint8Array.of(0x61, 0xc3, 0xa9))
    expect(guestMemory.byteString(10, 3)).toBe('a\u00c3\u00a9')
    expect(guestMemory.text(10, 3)).toBe('a\u00e9')
  })

  it.each([
    [PAGE, 1],
    [PAGE - 1, 2],
    [-1, 1],
    [0, -1],
    [-1, -1],
    [0x7fff_ffff, 0x7fff_ffff],
  ])('gives nothing outside of it: %i, %i', (address, length) => {
    const { guestMemory } = guest()
    expect(guestMemory.view(address, length)).toBeUndefined()
    expect(guestMemory.copy(address, length)).toBeUndefined()
    expect(guestMemory.byteString(address, length)).toBeUndefined()
    expect(guestMemory.text(address, length)).toBeUndefined()
    expect(guestMemory.headerName(address, length)).toBeUndefined()
  })

  it('gives nothing, which is something, at its very end', () => {
    const { guestMemory } = guest()
    expect(guestMemory.view(PAGE, 0)?.length).toBe(0)
    expect(guestMemory.view(PAGE - 4, 4)?.length).toBe(4)
  })

  it('sees what it is after the guest has grown it', () => {
    const { guestMemory, memory, write } = guest()
    write(0, 'x')
    expect(guestMemory.text(0, 1)).toBe('x')
    memory.grow(1)
    write(PAGE + 5, 'grown')
    expect(guestMemory.text(PAGE + 5, 5)).toBe('grown')
    expect(guestMemory.byteLength).toBe(2 * PAGE)
  })

  it('knows values again, short and long, and notices when others stand at their place', () => {
    const { guestMemory, write } = guest()
    for (const size of [0, 1, 3, 4, 20, 128, 129, 5_000]) {
      for (const text of [
        'a'.repeat(size),
        'a'.repeat(size),
        `${'a'.repeat(size)}b`.slice(-size),
      ]) {
        write(64, text)
        expect(guestMemory.value(64, text.length)).toBe(text)
      }
    }
    expect(guestMemory.value(PAGE - 2, 3)).toBeUndefined()
    expect(guestMemory.value(-1, -1)).toBeUndefined()
  })

  it('remembers header names, and notices when others stand at their place', () => {
    const { guestMemory, write } = guest()
    write(8, 'X-First')
    expect([guestMemory.headerName(8, 7), guestMemory.headerName(8, 7)]).toEqual([
      'x-first',
      'x-first',
    ])
    write(8, 'X-Other')
    expect(guestMemory.headerName(8, 7)).toBe('x-other')
    expect(guestMemory.headerName(8, 3)).toBe('x-o')
    for (let i = 0; i < 2_000; i++) guestMemory.headerName(i, 4)
    expect(guestMemory.headerName(8, 7)).toBe('x-other')
  })
})

describe('writing guest memory', () => {
  it('is little-endian and stays inside', () => {
    const { guestMemory, uint32 } = guest()
    expect([guestMemory.setUint32(4, 0x0102_0304), uint32(4)]).toEqual([true, 0x0102_0304])
    expect(guestMemory.setUint64(8, 0xffff_ffff_0000_0001n)).toBe(true)
    expect([uint32(8), uint32(12)]).toEqual([1, 0xffff_ffff])
    expect(guestMemory.setUint32(PAGE - 3, 1)).toBe(false)
    expect(guestMemory.setUint32(-1, 1)).toBe(false)
    expect(guestMemory.setUint64(PAGE - 7, 1n)).toBe(false)
  })
})

describe('handing bytes to the guest', () => {
  const bytes = textToBytes('hello')

  it('allocates, copies, and writes address and size', () => {
    const { guestMemory, asked, read, uint32 } = guest()
    expect(guestMemory.returnBytes(bytes, 16, 20)).toBe(Status.Ok)
    expect([asked, uint32(16), uint32(20), read(1024, 5)]).toEqual([[5], 1024, 5, 'hello'])
    expect(guestMemory.returnByteString('h\u00e9', 16, 20)).toBe(Status.Ok)
    expect(uint32(20)).toBe(2)
  })

  it.each([
    0,
    -1,
    200,
    -200,
    2 ** 31,
    2 ** 32,
    -(2 ** 32) - 1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    1_700_000_000_123_456_789n,
    -(2n ** 63n),
  ])('as an integer of 64 bits: %s', (value) => {
    const { guestMemory, memory, uint32 } = guest()
    expect(guestMemory.returnInt64(value, 16, 20)).toBe(Status.Ok)
    expect([uint32(16), uint32(20)]).toEqual([1024, 8])
    expect(new DataView(memory.buffer).getBigInt64(1024, true)).toBe(BigInt(value))
  })

  it('the same bytes when it is handed the same value of the same name again and again', () => {
    const { guestMemory, write, read } = guest()
    write(8, ':path')
    for (const value of ['/items', '/items', '/items', '/other', '/items', '\u00ff\u00e9']) {
      write(1024, '????????')
      const of = guestMemory.literal(8, 5)
      expect(guestMemory.returnByteString(value, 16, 20, of)).toBe(Status.Ok)
      const bytes = guestMemory.byteString(1024, value.length)
      expect([bytes, read(1024 + value.length, 1)]).toEqual([value, '?'])
    }
  })

  it('never allocates nothing: address and size are 0', () => {
    const { guestMemory, asked, uint32 } = guest()
    guestMemory.setUint32(16, 9)
    guestMemory.setUint32(20, 9)
    expect(guestMemory.returnBytes(new Uint8Array(0), 16, 20)).toBe(Status.Ok)
    expect([asked, uint32(16), uint32(20)]).toEqual([[], 0, 0])
    expect(guestMemory.returnByteString('', 16, 20)).toBe(Status.Ok)
    expect(guestMemory.returnWritten(0, () => undefined, 16, 20)).toBe(Status.Ok)
    expect(asked).toEqual([])
  })

  it('survives an allocator that grows the memory', () => {
    const { guestMemory, read } = guest(PAGE + 8, true)
    expect(guestMemory.returnBytes(bytes, 16, 20)).toBe(Status.Ok)
    expect(read(PAGE + 8, 5)).toBe('hello')
    expect(guestMemory.returnWritten(2, (target) => target.fill(0x61), 16, 20)).toBe(Status.Ok)
    expect(read(PAGE + 8, 2)).toBe('aa')
  })

  it.each([0, PAGE, PAGE - 4, -8])('is refused when the allocator answers %i', (address) => {
    const { guestMemory } = guest(address)
    expect(guestMemory.returnBytes(bytes, 16, 20)).toBe(Status.InvalidMemoryAccess)
    expect(guestMemory.returnByteString('hello', 16, 20)).toBe(Status.InvalidMemoryAccess)
    expect(guestMemory.returnWritten(5, () => undefined, 16, 20)).toBe(Status.InvalidMemoryAccess)
  })

  it.each([
    [PAGE, 20],
    [16, PAGE - 2],
    [-4, 20],
  ])('is refused when the places for the answer are outside: %i, %i', (addressOut, sizeOut) => {
    const { guestMemory } = guest()
    expect(guestMemory.returnBytes(bytes, addressOut, sizeOut)).toBe(Status.InvalidMemoryAccess)
    expect(guestMemory.returnByteString('', addressOut, sizeOut)).toBe(Status.InvalidMemoryAccess)
  })

  it('has written the address when only the size cannot be written, as Envoy has', () => {
    const { guestMemory, uint32 } = guest()
    expect(guestMemory.returnByteString('hello', 16, PAGE)).toBe(Status.InvalidMemoryAccess)
    expect(uint32(16)).toBe(1024)
    expect(guestMemory.returnBytes(Uint8Array.of(1), PAGE, 24)).toBe(Status.InvalidMemoryAccess)
    expect(uint32(24)).toBe(0)
  })
})
