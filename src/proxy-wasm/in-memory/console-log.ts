/**
 * Guests' log lines on the console, in the form that Envoy gives them:
 * `wasm log <plugin> <root_id> <vm_id>: message`, without the parts that are empty.
 */
import { LogLevel } from '../abi/enums.ts'
import type { LogEntry, LogPort } from '../ports.ts'

/** The part of `console` that is written to. */
export interface ConsoleLike {
  debug(line: string): void
  info(line: string): void
  warn(line: string): void
  error(line: string): void
}

/**
 * @param level - entries below it are dropped; info by default
 * @param output - where lines go; the global console by default
 */
export function consoleLog(
  level: LogLevel = LogLevel.Info,
  output: ConsoleLike = console,
): LogPort {
  return {
    level,
    log(entry) {
      if (entry.level < level) return
      const line = lineOf(entry)
      if (entry.level >= LogLevel.Error) output.error(line)
      else if (entry.level === LogLevel.Warn) output.warn(line)
      else if (entry.level === LogLevel.Info) output.info(line)
      else output.debug(line)
    },
  }
}

function lineOf({ plugin, rootId, vmId, message }: LogEntry): string {
  const prefix = ['wasm log', plugin, rootId, vmId].filter((part) => part !== '').join(' ')
  return `${prefix}: ${message}`
}
