/** What `postern bench` prints for people. */
import type { PluginCost } from '../testing/bench-plugin.ts'
import type { FailedTest } from '../testing/suite/bench-suite.ts'
import { formatTable } from './print.ts'

/** @param title - the plugin's file, or the test that was measured */
export function printCost(title: string, start: number, cost: PluginCost): string {
  const { phases, streams, nanoseconds, heapBytes, guestMemory } = cost
  const row = (...cells: readonly string[]): string[] =>
    cells.map((cell, at) => (at < 2 ? cell : cell.padStart(9)))
  const whole = (number: number): string => Math.round(number).toLocaleString('en')
  const rows = [
    row('  phase', 'callbacks', 'plugin ns', 'chain ns', 'heap B'),
    ...phases.map((phase) =>
      row(
        `  ${phase.phase}`,
        phase.callbacks,
        whole(phase.nanoseconds),
        whole(phase.chainNanoseconds),
        whole(phase.heapBytes),
      ),
    ),
    row('  one stream', '', whole(nanoseconds), '', whole(heapBytes)),
  ]
  const grown = guestMemory.ended - guestMemory.started
  return [
    `${title}: ${whole(streams)} streams, medians; started in ${(start / 1e6).toFixed(1)} ms\n`,
    formatTable(rows),
    `  guest memory ${whole(guestMemory.started / 1024)} KiB, grown by ${whole(grown / 1024)} KiB\n`,
  ].join('')
}

/** A test that was to be measured and fails. */
export function printFailures({ name, failures }: FailedTest): string {
  const lines = failures.flatMap((failure) => failure.split('\n'))
  return [`${name}: not measured, it fails\n`, ...lines.map((line) => `  ${line}\n`)].join('')
}
