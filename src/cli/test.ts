/**
 * `postern test`: runs plugin tests written for the plugin tester of Google's Service Extensions, as
 * text proto or YAML, through the chain that the gateway runs.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeError, type LoadedModule, type LogLevel } from '../proxy-wasm/index.ts'
import { readSuite, type Suite } from '../testing/format/read-suite.ts'
import { compileModule } from '../testing/plugin-under-test.ts'
import { LEVEL_NAMES, runSuite, type SuiteReport } from '../testing/suite/run-suite.ts'
import { TestFileError } from '../testing/suite/test-files.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { readModuleFile } from './inspect.ts'
import { formatTable } from './print.ts'

const HELP = `postern test --plugin FILE.wasm --proto TESTS [options]

Runs the tests of a plugin. TESTS is a file in the format of the plugin tester of Google's Service
Extensions: text proto (tests.textpb), or the same as YAML (tests.yaml).

  --plugin FILE.wasm  the plugin (default: env.wasm_path of the test file)
  --proto TESTS       the test file
  --config FILE       the plugin's configuration (default: env.config_path of the test file)
  --only TEXT         run the tests whose name holds this; the others are skipped
  --loglevel LEVEL    TRACE, DEBUG, INFO, WARN, ERROR or CRITICAL: lines below it are dropped
  --logfile FILE      write what the plugin logs there; /dev/stdout prints it
  --json              print the result as JSON
  --help

Exit codes: 0 all tests passed, 1 a test failed, there is none, or a file is wrong, 2 called wrongly.
`

/**
 * @param args - after `test`
 * @returns 0 when no test failed, 1 when one did
 * @throws CommandError for files that cannot be read or are wrong, and where there is no test to run
 */
export async function test(args: string[], io: CliIo): Promise<number> {
  const values = parse(args)
  if (values.help) {
    io.stdout(HELP)
    return 0
  }
  const file = values.proto ?? ''
  const suite = await loadSuite(io, file)
  refuseNone(suite, file, values.only)
  const folder = dirname(resolve(io.cwd, file))
  const { plugin, config } = pathsOf(io, file, suite, values)
  const lines: string[] = []
  const report = await runSuite({
    suite,
    file,
    plugin,
    module: await loadPlugin(io, plugin),
    configuration:
      config === undefined ? new Uint8Array(0) : await readBytes(resolve(io.cwd, config), config),
    logLevel: logLevel(values.loglevel),
    only: values.only,
    readFile: (path) => readTestFile(folder, path),
    onLog: (name, level, message) => {
      lines.push(`${name}: ${LEVEL_NAMES[level] ?? level}: ${message}\n`)
    },
  })
  const log = values.logfile ?? suite.env?.log_path
  if (log !== undefined) {
    const path = values.logfile === undefined ? resolve(folder, log) : resolve(io.cwd, log)
    await writeLog(io, path, lines.join(''), values.json ?? false)
  }
  io.stdout(values.json ? `${JSON.stringify(report, null, 2)}\n` : printed(report))
  return report.failed > 0 ? 1 : 0
}

/**
 * Reads and checks a test file.
 * @throws CommandError `test.file_invalid` with every problem's place
 */
export async function loadSuite(io: CliIo, file: string): Promise<Suite> {
  const bytes = await readBytes(resolve(io.cwd, file), file)
  const read = readSuite(file, new TextDecoder().decode(bytes))
  if (read.ok) return read.suite
  throw new CommandError('test.file_invalid', `${file} is no test file that can be run.`, {
    problems: read.problems.map(({ line, column, message }) => ({
      code: 'test.file_invalid',
      severity: 'error',
      resource: '',
      path: [],
      message,
      file,
      line,
      column,
    })),
  })
}

/** Nothing that ran has not passed: a pipeline would take an empty file for a plugin that is well. */
function refuseNone({ test }: Suite, file: string, only: string | undefined): void {
  if (test.some(({ name }) => name.includes(only ?? ''))) return
  const which = only === undefined ? '' : ` whose name holds ${JSON.stringify(only)}`
  throw new CommandError('test.none', `${file} has no test${which}.`)
}

/** @throws CommandError `cli.module_refused` for a module that cannot run */
export async function loadPlugin(io: CliIo, file: string): Promise<LoadedModule> {
  const bytes = await readModuleFile(io, file)
  try {
    return await compileModule(bytes)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError('cli.module_refused', `${file} cannot run: ${reason}`)
  }
}

/** @throws CommandError `cli.file_missing` */
export async function readBytes(path: string, shown: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    throw new CommandError('cli.file_missing', `${shown} cannot be read: ${describeError(error)}`)
  }
}

/**
 * The plugin and its configuration: those of the options, or those that the test file names.
 * @throws CommandError `cli.usage` when there is no plugin
 */
export function pathsOf(
  io: CliIo,
  file: string,
  { env }: Suite,
  given: { readonly plugin?: string | undefined; readonly config?: string | undefined },
): { readonly plugin: string; readonly config: string | undefined } {
  const folder = dirname(resolve(io.cwd, file))
  const plugin = given.plugin ?? fromTestFile(io, folder, env?.wasm_path)
  if (plugin === undefined) throw usage('Which plugin? --plugin FILE.wasm')
  return { plugin, config: given.config ?? fromTestFile(io, folder, env?.config_path) }
}

/** A file that a test names, from the test file's folder on. @throws TestFileError */
export async function readTestFile(folder: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(resolve(folder, path)))
  } catch (error) {
    throw new TestFileError(`${path} cannot be read: ${describeError(error)}`)
  }
}

/** A path that a test file names starts at that file. */
function fromTestFile(io: CliIo, folder: string, path: string | undefined): string | undefined {
  if (path === undefined || isAbsolute(path)) return path
  return relative(io.cwd, resolve(folder, path))
}

async function writeLog(io: CliIo, path: string, text: string, json: boolean): Promise<void> {
  // with --json, stdout is for the result alone
  if (path === '/dev/stdout' && !json) io.stdout(text)
  else if (path === '/dev/stdout' || path === '/dev/stderr') io.stderr(text)
  else await writeFile(path, text)
}

function logLevel(name: string | undefined): LogLevel | undefined {
  if (name === undefined) return undefined
  const level = LEVEL_NAMES.indexOf(name.toUpperCase())
  if (level < 0) throw usage(`--loglevel is one of ${LEVEL_NAMES.join(', ')}`)
  return level as LogLevel
}

function parse(args: string[]): {
  readonly [name in 'plugin' | 'proto' | 'config' | 'only' | 'loglevel' | 'logfile']?: string
} & { readonly json?: boolean; readonly help?: boolean } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        plugin: { type: 'string' },
        proto: { type: 'string' },
        config: { type: 'string' },
        only: { type: 'string' },
        loglevel: { type: 'string' },
        logfile: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.proto === undefined && !values.help) throw new Error('Which tests? --proto FILE')
    return values
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error))
  }
}

function usage(message: string): CommandError {
  return new CommandError('cli.usage', message)
}

function printed({ plugin, tests, passed, failed, skipped }: SuiteReport): string {
  const rows = tests.flatMap(({ name, result, failures }) => [
    [`  ${result === 'failed' ? 'FAILED' : result}`, name],
    // what the plugin logged follows in lines of its own
    ...failures.flatMap((failure) => failure.split('\n').map((line) => ['', `  ${line}`])),
  ])
  return `${plugin}\n${formatTable(rows)}${passed} passed, ${failed} failed, ${skipped} skipped\n`
}
