/**
 * What the WASI calls need, and the error numbers they answer. A guest's C library or language runtime
 * makes these calls; there is no file system behind them.
 * @see https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */
import type { LogLevel } from '../abi/enums.ts'
import type { Clock, Random } from '../ports.ts'

export interface WasiHost {
  /** The guest's memory as it is now: asked for on each call, since growth detaches what was there. */
  memory(): ArrayBuffer
  readonly clock: Clock
  readonly random: Random
  /** The plugin's environment variables; the host's own are never shown. */
  readonly environment: readonly (readonly [name: string, value: string])[]
  /** Receives what the guest writes to stdout and stderr. */
  log(level: LogLevel, message: string): void
}

/** A WASI call: i32 arguments arrive signed, i64 as BigInt; the result is an errno, or none. */
export type WasiFunction = (...args: never[]) => number | undefined
export type WasiFunctions = Readonly<Record<string, WasiFunction>>

/** `errno`: the ones that are answered. */
export const Errno = {
  Success: 0,
  BadFile: 8,
  Exists: 20,
  Fault: 21,
  Invalid: 28,
  InputOutput: 29,
  NoEntry: 44,
  NotImplemented: 52,
  NotSupported: 58,
} as const
