/**
 * Writing to stdout and stderr: each call becomes one entry in the log, as Rust's println!, Go's
 * fmt.Println and a panic's message need it.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#wasi_snapshot_preview1fd_write
 */
import { LogLevel } from '../abi/enums.ts'
import { bytesToText } from '../memory/byte-string.ts'
import { Errno, type WasiFunctions, type WasiHost } from './wasi-host.ts'
import { viewOf, writeUint32 } from './wasi-memory.ts'

/** What one call may log: iovecs may all name the same megabytes, and the log need not pay for that. */
const MAX_LOGGED = 64 * 1024

const NEWLINE = 10

/** `BadFile` for anything but stdout (info) and stderr (error), `Fault` for bytes outside of memory. */
export function outputFunctions(host: WasiHost): WasiFunctions {
  const write = (fd: number, iovecs: number, count: number, writtenOut: number): number => {
    if (fd !== 1 && fd !== 2) return Errno.BadFile
    const memory = host.memory()
    const joined = join(memory, iovecs, count)
    if (joined === undefined) return Errno.Fault
    if (!writeUint32(memory, writtenOut, joined.written)) return Errno.Fault
    const { bytes } = joined
    const text = bytesToText(bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes)
    if (text !== '') host.log(fd === 1 ? LogLevel.Info : LogLevel.Error, text)
    return Errno.Success
  }

  return {
    fd_write: write,
    fd_pwrite: (fd: number, iovecs: number, count: number, _offset: bigint, writtenOut: number) =>
      write(fd, iovecs, count, writtenOut),
  }
}

interface Joined {
  readonly bytes: Uint8Array
  /** The length of all iovecs, of which `bytes` may be the beginning only. */
  readonly written: number
}

/** @returns undefined when the iovecs or what they name is out of bounds */
function join(memory: ArrayBuffer, iovecs: number, count: number): Joined | undefined {
  const listed = (count >>> 0) * 8
  if ((iovecs >>> 0) + listed > memory.byteLength) return undefined
  const view = new DataView(memory, iovecs >>> 0, listed)
  const parts: Uint8Array[] = []
  let written = 0
  let kept = 0
  for (let at = 0; at < listed; at += 8) {
    const part = viewOf(memory, view.getUint32(at, true), view.getUint32(at + 4, true))
    if (part === undefined) return undefined
    written += part.length
    if (part.length > 0 && kept < MAX_LOGGED) {
      const piece = part.subarray(0, MAX_LOGGED - kept)
      kept += piece.length
      parts.push(piece)
    }
  }
  const [only] = parts
  if (only !== undefined && parts.length === 1) return { bytes: only, written }
  const bytes = new Uint8Array(kept)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return { bytes, written }
}
