/** A suite: all of its tests, each in a plugin of its own, and the report. */
import { type LoadedModule, LogLevel } from '../../proxy-wasm/index.ts'
import type { Suite } from '../format/read-suite.ts'
import { runTest, type TestSettings } from './run-test.ts'
import type { ReadFile } from './test-files.ts'

export interface TestReport {
  readonly name: string
  readonly result: 'passed' | 'failed' | 'skipped'
  /** `file:line: phase: what is wrong`. */
  readonly failures: readonly string[]
}

export interface SuiteReport {
  /** The module's file. */
  readonly plugin: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly tests: readonly TestReport[]
}

export interface SuiteOptions {
  readonly suite: Suite
  /** As messages name it. */
  readonly file: string
  /** As the report names it. */
  readonly plugin: string
  readonly module: LoadedModule
  readonly configuration: Uint8Array<ArrayBuffer>
  /** In place of the file's own. */
  readonly logLevel?: LogLevel | undefined
  /** Tests whose name does not hold this are skipped. */
  readonly only?: string | undefined
  readonly readFile: ReadFile
  /** Told of every line that is logged. */
  readonly onLog?: (test: string, level: LogLevel, message: string) => void
}

const NANOS_PER_SECOND = 1_000_000_000n

/** Runs a suite. Never rejects for what a plugin or a test does. */
export async function runSuite(options: SuiteOptions): Promise<SuiteReport> {
  const { suite, file, only, onLog, plugin } = options
  const settings = settingsOf(options)
  const tests: TestReport[] = []
  for (const test of suite.test) {
    const { name } = test
    if (only !== undefined && !name.includes(only)) {
      tests.push({ name, result: 'skipped', failures: [] })
      continue
    }
    const { failures, logs } = await runTest(test, settings)
    for (const { level, message } of logs) onLog?.(name, level, message)
    tests.push({
      name,
      result: failures.length === 0 ? 'passed' : 'failed',
      failures: failures.map(({ line, message }) => `${file}:${line}: ${message}`),
    })
  }
  const count = (result: TestReport['result']): number =>
    tests.filter((test) => test.result === result).length
  return {
    plugin,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    tests,
  }
}

/** What all tests of a suite have in common. */
export function settingsOf(
  options: Pick<SuiteOptions, 'suite' | 'module' | 'configuration' | 'logLevel' | 'readFile'>,
): TestSettings {
  const { module, configuration, logLevel, readFile } = options
  const { env } = options.suite
  return {
    module,
    configuration,
    // the format's levels begin with one for "not said": then every line counts
    logLevel: logLevel ?? (Math.max((env?.log_level ?? 0) - 1, 0) as LogLevel),
    time: BigInt(env?.time_secs ?? 0) * NANOS_PER_SECOND,
    readFile,
  }
}

/** Names of log levels, by number. */
export const LEVEL_NAMES: readonly string[] = Object.keys(LogLevel).map((name) =>
  name.toUpperCase(),
)
