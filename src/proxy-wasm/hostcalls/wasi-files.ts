/**
 * Files, folders, sockets and signals: none exist. Runtimes import these calls all the same and probe them at
 * start, so each is linked and answers what the reference host answers.
 * @see https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */
import { Errno, type WasiFunctions, type WasiHost } from './wasi-host.ts'
import { viewOf, writeUint32, writeUint64 } from './wasi-memory.ts'

/** The right to write, in `fdstat.fs_rights_base`. */
const RIGHT_FD_WRITE = 64n

const ok = (): number => Errno.Success
const notImplemented = (): number => Errno.NotImplemented
const notSupported = (): number => Errno.NotSupported
const badFile = (): number => Errno.BadFile

const isOutput = (fd: number): boolean => fd === 1 || fd === 2

/** Changing a property of stdout or stderr succeeds without effect. */
const acceptedOnOutput = (fd: number): number => (isOutput(fd) ? Errno.Success : Errno.BadFile)

/** `Fault` for an out pointer outside of memory, else as each function's line says. */
export function fileFunctions(host: WasiHost): WasiFunctions {
  /** Zeroes the out values, so that a guest that ignores the errno reads nothing stale. */
  const zeroed = (errno: number, ...addresses: number[]): number => {
    const memory = host.memory()
    for (const address of addresses) if (!writeUint32(memory, address, 0)) return Errno.Fault
    return errno
  }

  return {
    fd_read: notImplemented,
    fd_pread: notImplemented,
    fd_seek: ok,
    fd_close: ok,

    fd_fdstat_get(fd: number, statOut: number) {
      if (!isOutput(fd)) return Errno.BadFile
      const memory = host.memory()
      const stat = viewOf(memory, statOut, 24)
      if (stat === undefined) return Errno.Fault
      stat.fill(0)
      writeUint64(memory, stat.byteOffset + 8, RIGHT_FD_WRITE)
      return Errno.Success
    },
    fd_fdstat_set_flags: notImplemented,
    fd_fdstat_set_rights: acceptedOnOutput,

    fd_filestat_get: badFile,
    fd_filestat_set_size: acceptedOnOutput,
    fd_filestat_set_times: acceptedOnOutput,

    // "bad file" for descriptor 3 is how a C library learns that there are no folders
    fd_prestat_get: badFile,
    fd_prestat_dir_name: notImplemented,

    fd_advise: acceptedOnOutput,
    fd_allocate: acceptedOnOutput,
    fd_datasync: acceptedOnOutput,
    fd_sync: acceptedOnOutput,
    fd_tell(fd: number, offsetOut: number) {
      if (!isOutput(fd)) return Errno.BadFile
      return writeUint64(host.memory(), offsetOut, 0n) ? Errno.Success : Errno.Fault
    },
    fd_readdir: (_fd: number, _at: number, _size: number, _cookie: bigint, sizeOut: number) =>
      zeroed(Errno.Exists, sizeOut),
    fd_renumber: (fd: number) => (isOutput(fd) ? Errno.NotSupported : Errno.BadFile),

    path_open: () => Errno.NoEntry,
    path_create_directory: notSupported,
    path_filestat_get: notSupported,
    path_filestat_set_times: notSupported,
    path_link: notSupported,
    path_readlink: (
      _fd: number,
      _path: number,
      _pathSize: number,
      _at: number,
      _size: number,
      sizeOut: number,
    ) => zeroed(Errno.NotSupported, sizeOut),
    path_remove_directory: notSupported,
    path_rename: notSupported,
    path_symlink: notSupported,
    path_unlink_file: notSupported,

    sock_accept: (_fd: number, _flags: number, fdOut: number) => zeroed(Errno.NotSupported, fdOut),
    sock_recv: (
      _fd: number,
      _iovecs: number,
      _count: number,
      _flags: number,
      sizeOut: number,
      flagsOut: number,
    ) => zeroed(Errno.NotSupported, sizeOut, flagsOut),
    sock_send: (_fd: number, _iovecs: number, _count: number, _flags: number, sizeOut: number) =>
      zeroed(Errno.NotSupported, sizeOut),
    sock_shutdown: notSupported,

    proc_raise: notSupported,
  }
}
