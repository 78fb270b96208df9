/**
 * An inspect report in a few lines for people; `--json` has all of it.
 */
import type { InspectReport } from '../proxy-wasm/abi/inspect.ts'

/** @returns indented lines: what it is, what it handles, what to know */
export function printInspection(report: InspectReport): string {
  const { abi, sdk, size, callbacks, memory, warnings, problems } = report
  const handled = callbacks.filter(({ support }) => support === 'full').map(({ name }) => name)
  const never = callbacks.filter(({ support }) => support === 'never').map(({ name }) => name)
  const lines = [
    `ABI ${abi ?? 'unknown'}, SDK ${sdk}, ${printSize(size)}, ${printPages(memory)}`,
    `callbacks: ${handled.map(shortName).join(', ') || 'none'}`,
    ...(never.length > 0 ? [`never called here: ${never.map(shortName).join(', ')}`] : []),
    ...problems.map(({ code, message }) => `problem ${code}: ${message}`),
    ...warnings.map(({ code, message }) => `warning ${code}: ${message}`),
  ]
  return lines.map((line) => `  ${line}\n`).join('')
}

function shortName(callback: string): string {
  return callback.replace(/^proxy_on_/, '')
}

function printSize(bytes: number): string {
  return bytes < 1024 * 1024
    ? `${(bytes / 1024).toFixed(1)} KiB`
    : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

function mebibytes(pages: number): string {
  return `${((pages * 64) / 1024).toFixed(1)} MiB`
}

function printPages(memory: InspectReport['memory']): string {
  if (memory === null) return 'no memory'
  const most = memory.maximum === undefined ? 'no limit' : `at most ${mebibytes(memory.maximum)}`
  return `${mebibytes(memory.initial)} memory at start, ${most}`
}
