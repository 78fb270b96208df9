/** The WASI calls on a memory whose untouched bytes are guarded. */
import { beforeEach, describe, expect, it } from 'vitest'
import { LogLevel } from '../abi/enums.ts'
import { Errno } from './wasi-host.ts'
import { wasiFunctions, type WasiHost } from './wasi.ts'

const SIZE = 1024
const GUARD = 0xee
/** An i32 as it arrives for an address near 2^32. */
const FAR = -4

const NO_RANDOM: WasiHost['random'] = {
  fill: () => {
    throw new Error('not in global scope')
  },
}

let memory: Uint8Array<ArrayBuffer>
let logged: [LogLevel, string][]
let call: (name: string, ...args: (number | bigint)[]) => number | undefined

function hostWith(overrides: Partial<WasiHost> = {}): WasiHost {
  return {
    memory: () => memory.buffer,
    clock: { realtime: () => 1_700_000_000_000_000_001n, monotonic: () => 42n },
    random: { fill: (bytes) => bytes.fill(7) },
    environment: [],
    log: (level, message) => logged.push([level, message]),
    ...overrides,
  }
}

function callsOf(host: WasiHost): typeof call {
  const functions = wasiFunctions(host)
  return (name, ...args) => functions[name]?.(...(args as never[]))
}

beforeEach(() => {
  memory = new Uint8Array(SIZE).fill(GUARD)
  logged = []
  call = callsOf(hostWith())
})

const view = (): DataView => new DataView(memory.buffer)
const u32 = (at: number): number => view().getUint32(at, true)
const u64 = (at: number): bigint => view().getBigUint64(at, true)

/** Puts texts at 512 and iovecs that name them at 0. */
function iovecs(...texts: string[]): number {
  let at = 512
  for (const [index, text] of texts.entries()) {
    const bytes = new TextEncoder().encode(text)
    memory.set(bytes, at)
    view().setUint32(index * 8, at, true)
    view().setUint32(index * 8 + 4, bytes.length, true)
    at += bytes.length
  }
  return texts.length
}

/** Every byte outside of [from, to) still holds the guard. */
function expectGuardedOutside(from: number, to: number): void {
  const touched = memory.findIndex((byte, at) => (at < from || at >= to) && byte !== GUARD)
  expect(touched).toBe(-1)
}

describe('fd_write', () => {
  it('joins iovecs, strips one newline, logs stdout at info', () => {
    expect(call('fd_write', 1, 0, iovecs('héllo', ' wörld\n'), 100)).toBe(Errno.Success)
    expect(logged).toEqual([[LogLevel.Info, 'héllo wörld']])
    expect(u32(100)).toBe(14)
  })

  it('logs stderr at error and strips one newline only', () => {
    call('fd_write', 2, 0, iovecs('panic\n\n'), 100)
    expect(logged).toEqual([[LogLevel.Error, 'panic\n']])
  })

  it.each([['', 0] as const, ['\n', 1] as const])('logs nothing for %j', (text, written) => {
    expect(call('fd_write', 1, 0, iovecs(text), 100)).toBe(Errno.Success)
    expect(logged).toEqual([])
    expect(u32(100)).toBe(written)
  })

  it('writes the size and nothing else', () => {
    expect(call('fd_write', 1, 0, 0, 100)).toBe(Errno.Success)
    expectGuardedOutside(100, 104)
  })

  it.each([0, 3, -1])('answers BADF for descriptor %i', (fd) => {
    expect(call('fd_write', fd, 0, iovecs('x'), 100)).toBe(Errno.BadFile)
    expect(logged).toEqual([])
  })

  it('answers FAULT for iovecs, text or result outside of memory, and logs nothing', () => {
    expect(call('fd_write', 1, FAR, 1, 100)).toBe(Errno.Fault)
    expect(call('fd_write', 1, 0, -1, 100)).toBe(Errno.Fault)
    expect(call('fd_write', 1, SIZE - 4, 1, 100)).toBe(Errno.Fault)
    expect(call('fd_write', 1, 0, iovecs('x'), SIZE - 3)).toBe(Errno.Fault)
    view().setUint32(4, SIZE, true)
    expect(call('fd_write', 1, 0, 1, 100)).toBe(Errno.Fault)
    expect(logged).toEqual([])
  })

  it('bounds what iovecs of the same bytes may log', () => {
    memory = new Uint8Array(1 << 20).fill(0x61)
    for (let i = 0; i < 64; i++) {
      view().setUint32(i * 8, 1024, true)
      view().setUint32(i * 8 + 4, 1_000_000, true)
    }
    expect(call('fd_write', 1, 0, 64, 1000)).toBe(Errno.Success)
    expect(u32(1000)).toBe(64_000_000)
    expect(logged[0]?.[1]).toHaveLength(64 * 1024)
  })

  it('sees memory that has grown since the functions were made', () => {
    memory = new Uint8Array(4096).fill(GUARD)
    expect(call('fd_write', 1, 0, iovecs('grown'), 4000)).toBe(Errno.Success)
    expect(u32(4000)).toBe(5)
  })

  it('is what fd_pwrite does, whatever the offset', () => {
    expect(call('fd_pwrite', 1, 0, iovecs('at'), 99n, 100)).toBe(Errno.Success)
    expect(logged).toEqual([[LogLevel.Info, 'at']])
  })
})

describe('clocks', () => {
  it('tell wall-clock and monotonic time', () => {
    expect(call('clock_time_get', 0, 0n, 8)).toBe(Errno.Success)
    expect(u64(8)).toBe(1_700_000_000_000_000_001n)
    expect(call('clock_time_get', 1, 0n, 8)).toBe(Errno.Success)
    expect(u64(8)).toBe(42n)
    expectGuardedOutside(8, 16)
  })

  it('have a resolution of one nanosecond', () => {
    expect(call('clock_res_get', 1, 8)).toBe(Errno.Success)
    expect(u64(8)).toBe(1n)
  })

  it('answer NOTSUP for process time and FAULT outside of memory', () => {
    expect(call('clock_time_get', 2, 0n, 8)).toBe(Errno.NotSupported)
    expect(call('clock_res_get', 3, 8)).toBe(Errno.NotSupported)
    expect(call('clock_time_get', 0, 0n, SIZE - 7)).toBe(Errno.Fault)
    expect(call('clock_res_get', 0, FAR)).toBe(Errno.Fault)
    expectGuardedOutside(0, 0)
  })
})

describe('random_get', () => {
  it('fills exactly the bytes asked for', () => {
    expect(call('random_get', 10, 5)).toBe(Errno.Success)
    expect([...memory.subarray(10, 15)]).toEqual([7, 7, 7, 7, 7])
    expectGuardedOutside(10, 15)
  })

  it('takes no bytes from anywhere', () => {
    expect(call('random_get', FAR, 0)).toBe(Errno.Success)
  })

  it('answers INVAL above 64 KiB and FAULT outside of memory', () => {
    expect(call('random_get', 0, 65_537)).toBe(Errno.Invalid)
    expect(call('random_get', 0, -1)).toBe(Errno.Invalid)
    expect(call('random_get', 0, SIZE + 1)).toBe(Errno.Fault)
    expect(call('random_get', SIZE - 1, 2)).toBe(Errno.Fault)
  })

  it('answers IO where the host has no randomness', () => {
    expect(callsOf(hostWith({ random: NO_RANDOM }))('random_get', 0, 4)).toBe(Errno.InputOutput)
  })
})

describe('environment', () => {
  it('is listed as NAME=value with a NUL each', () => {
    call = callsOf(
      hostWith({
        environment: [
          ['A', 'ü'],
          ['EMPTY', ''],
        ],
      }),
    )
    expect(call('environ_sizes_get', 0, 4)).toBe(Errno.Success)
    expect([u32(0), u32(4)]).toEqual([2, 12])
    expect(call('environ_get', 100, 200)).toBe(Errno.Success)
    expect([u32(100), u32(104)]).toEqual([200, 205])
    expect(new TextDecoder().decode(memory.subarray(200, 212))).toBe('A=ü\0EMPTY=\0')
    expect(memory[212]).toBe(GUARD)
    expect(call('environ_get', 100, SIZE - 11)).toBe(Errno.Fault)
    expect(call('environ_get', SIZE - 4, 200)).toBe(Errno.Fault)
    expect(call('environ_sizes_get', 0, FAR)).toBe(Errno.Fault)
  })

  it('has no arguments', () => {
    expect(call('args_sizes_get', 0, 4)).toBe(Errno.Success)
    expect([u32(0), u32(4)]).toEqual([0, 0])
    expect(call('args_get', 100, 200)).toBe(Errno.Success)
    expectGuardedOutside(0, 8)
  })
})

describe('scheduling and exit', () => {
  it('poll_oneoff reports no events and succeeds', () => {
    expect(call('poll_oneoff', 0, 64, 1, 100)).toBe(Errno.Success)
    expect(u32(100)).toBe(0)
    expectGuardedOutside(100, 104)
    expect(call('poll_oneoff', 0, 64, 1, FAR)).toBe(Errno.Fault)
  })

  it('sched_yield succeeds', () => {
    expect(call('sched_yield')).toBe(Errno.Success)
  })

  it('proc_exit logs the code and returns', () => {
    expect(call('proc_exit', 3)).toBeUndefined()
    expect(logged).toEqual([[LogLevel.Error, 'the plugin called proc_exit(3)']])
  })
})

describe('files', () => {
  it('fd_fdstat_get says that stdout may be written', () => {
    expect(call('fd_fdstat_get', 1, 100)).toBe(Errno.Success)
    expect([...memory.subarray(100, 124)]).toEqual(
      Array.from({ length: 24 }, (_, at) => (at === 8 ? 64 : 0)),
    )
    expectGuardedOutside(100, 124)
    expect(call('fd_fdstat_get', 0, 100)).toBe(Errno.BadFile)
    expect(call('fd_fdstat_get', 1, SIZE - 23)).toBe(Errno.Fault)
  })

  it('fd_tell answers 0 for the outputs', () => {
    expect(call('fd_tell', 2, 100)).toBe(Errno.Success)
    expect(u64(100)).toBe(0n)
    expect(call('fd_tell', 3, 100)).toBe(Errno.BadFile)
    expect(call('fd_tell', 1, FAR)).toBe(Errno.Fault)
  })

  it('fd_readdir and path_readlink report no bytes', () => {
    expect(call('fd_readdir', 3, 0, 0, 0n, 100)).toBe(Errno.Exists)
    expect(call('path_readlink', 3, 0, 0, 0, 0, 104)).toBe(Errno.NotSupported)
    expect([u32(100), u32(104)]).toEqual([0, 0])
    expect(call('fd_readdir', 3, 0, 0, 0n, FAR)).toBe(Errno.Fault)
  })

  it('sockets are not supported and their results are zeroed', () => {
    expect(call('sock_accept', 3, 0, 100)).toBe(Errno.NotSupported)
    expect(call('sock_recv', 3, 0, 0, 0, 104, 108)).toBe(Errno.NotSupported)
    expect(call('sock_send', 3, 0, 0, 0, 112)).toBe(Errno.NotSupported)
    expect(call('sock_shutdown', 3, 0)).toBe(Errno.NotSupported)
    expect([...memory.subarray(100, 116)]).toEqual(Array.from({ length: 16 }, () => 0))
    expect(call('sock_recv', 3, 0, 0, 0, 104, FAR)).toBe(Errno.Fault)
  })

  it.each([
    ['fd_read', Errno.NotImplemented, Errno.NotImplemented],
    ['fd_pread', Errno.NotImplemented, Errno.NotImplemented],
    ['fd_seek', Errno.Success, Errno.Success],
    ['fd_close', Errno.Success, Errno.Success],
    ['fd_fdstat_set_flags', Errno.NotImplemented, Errno.NotImplemented],
    ['fd_fdstat_set_rights', Errno.Success, Errno.BadFile],
    ['fd_filestat_get', Errno.BadFile, Errno.BadFile],
    ['fd_filestat_set_size', Errno.Success, Errno.BadFile],
    ['fd_filestat_set_times', Errno.Success, Errno.BadFile],
    ['fd_prestat_get', Errno.BadFile, Errno.BadFile],
    ['fd_prestat_dir_name', Errno.NotImplemented, Errno.NotImplemented],
    ['fd_advise', Errno.Success, Errno.BadFile],
    ['fd_allocate', Errno.Success, Errno.BadFile],
    ['fd_datasync', Errno.Success, Errno.BadFile],
    ['fd_sync', Errno.Success, Errno.BadFile],
    ['fd_renumber', Errno.NotSupported, Errno.BadFile],
    ['path_open', Errno.NoEntry, Errno.NoEntry],
    ['path_create_directory', Errno.NotSupported, Errno.NotSupported],
    ['path_filestat_get', Errno.NotSupported, Errno.NotSupported],
    ['path_filestat_set_times', Errno.NotSupported, Errno.NotSupported],
    ['path_link', Errno.NotSupported, Errno.NotSupported],
    ['path_remove_directory', Errno.NotSupported, Errno.NotSupported],
    ['path_rename', Errno.NotSupported, Errno.NotSupported],
    ['path_symlink', Errno.NotSupported, Errno.NotSupported],
    ['path_unlink_file', Errno.NotSupported, Errno.NotSupported],
    ['proc_raise', Errno.NotSupported, Errno.NotSupported],
  ])('%s answers %i for stdout, %i for anything else', (name, forOutput, forOther) => {
    expect(call(name, 1, 0, 0)).toBe(forOutput)
    expect(call(name, 7, 0, 0)).toBe(forOther)
    expectGuardedOutside(0, 0)
  })
})

describe('every WASI call', () => {
  it.each([1, FAR])('survives addresses at the end of the address space behind %i', (first) => {
    for (const [name, run] of Object.entries(wasiFunctions(hostWith()))) {
      const answer = run(...([first, FAR, FAR, FAR, FAR, FAR, FAR, FAR, FAR] as never[]))
      expect(typeof answer, name).toBe(name === 'proc_exit' ? 'undefined' : 'number')
    }
    // some results come in two parts: the first may have been written to address 1
    expectGuardedOutside(first === 1 ? 1 : 0, first === 1 ? 5 : 0)
  })
})
