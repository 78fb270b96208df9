/**
 * What toolchains import from `env` beside the ABI: Emscripten's two, and AssemblyScript's `abort`.
 * Not part of the specification and, as in Envoy, never restricted by capabilities.
 */
import { LogLevel } from '../abi/enums.ts'
import { GuestTrap } from '../errors.ts'

/** A function of `env`; `abort` throws, which traps the guest. */
export type EnvExtra = (...args: never[]) => number | undefined

/** AssemblyScript strings are UTF-16 with their size in bytes four bytes before the text. */
const MAX_MESSAGE_BYTES = 8192

/**
 * @param log - receives the message of an `abort`
 * @param memory - the guest's memory as it is now; without it `abort` reports numbers only
 * @returns the functions by name
 * @see https://www.assemblyscript.org/concepts.html#special-imports
 */
export function envExtras(
  log: (level: LogLevel, message: string) => void,
  memory?: () => ArrayBuffer,
): Readonly<Record<'abort' | 'emscripten_notify_memory_growth' | 'pthread_equal', EnvExtra>> {
  const text = (address: number): string => (memory ? readUtf16(memory(), address >>> 0) : '')

  return {
    /** Nothing to do: views on memory are made anew after every call into the guest. */
    emscripten_notify_memory_growth: () => undefined,

    /** One thread: equal when the ids are. */
    pthread_equal: (left: number, right: number) => (left === right ? 1 : 0),

    /** A failed assertion or a throw: logged, then the vm ends. */
    abort(message: number, file: number, line: number, column: number) {
      const what = text(message) || `message at ${message >>> 0}`
      const where = `${text(file) || '(unknown file)'}:${line >>> 0}:${column >>> 0}`
      const described = `the plugin aborted: ${what} at ${where}`
      log(LogLevel.Critical, described)
      throw new GuestTrap(described)
    },
  }
}

function readUtf16(memory: ArrayBuffer, address: number): string {
  if (address < 4 || address > memory.byteLength) return ''
  const view = new DataView(memory)
  const size = view.getUint32(address - 4, true)
  if (address + size > memory.byteLength) return ''
  const units: number[] = []
  const end = address + Math.min(size, MAX_MESSAGE_BYTES) - 1
  for (let at = address; at < end; at += 2) units.push(view.getUint16(at, true))
  return String.fromCharCode(...units)
}
