#!/usr/bin/env node
/**
 * The `postern` command: its commands as a table, each imported only when it runs, and the process
 * they run in. Tests and scripts call `run` without one.
 */
import { realpathSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { printError } from './print.ts'

/** A command gets the arguments after its name and answers the exit code. */
type Command = (args: string[], io: CliIo) => Promise<number>

interface CommandEntry {
  readonly about: string
  readonly load: () => Promise<Command>
}

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  add: {
    about: 'bring a module (.wasm) into plugins/',
    load: async () => (await import('./add.ts')).add,
  },
  apply: {
    about: 'check a policy and make it the one that runs',
    load: async () => (await import('./apply.ts')).apply,
  },
  baseline: {
    about: 'bundle a policy for isolates that start without a store',
    load: async () => (await import('./baseline.ts')).baseline,
  },
  bench: {
    about: 'what a plugin costs, callback by callback',
    load: async () => (await import('./bench.ts')).bench,
  },
  diff: {
    about: 'what a policy would change at a gateway',
    load: async () => (await import('./diff.ts')).diff,
  },
  explain: {
    about: 'which route takes a request, through which plugins, and why',
    load: async () => (await import('./explain.ts')).explain,
  },
  history: {
    about: 'the revisions there have been',
    load: async () => (await import('./history.ts')).history,
  },
  inspect: {
    about: 'what a module is, and where else it would run',
    load: async () => (await import('./inspect.ts')).inspect,
  },
  keys: {
    about: 'make a key to sign configuration with',
    load: async () => (await import('./keys.ts')).keys,
  },
  rollback: {
    about: 'make an old revision run again',
    load: async () => (await import('./rollback.ts')).rollback,
  },
  rollout: {
    about: 'take another version of a plugin out step by step',
    load: async () => (await import('./rollout.ts')).rollout,
  },
  status: {
    about: 'what a gateway runs and what it refused',
    load: async () => (await import('./status.ts')).status,
  },
  test: {
    about: 'run the tests of a plugin',
    load: async () => (await import('./test.ts')).test,
  },
  validate: {
    about: 'check a policy, without a gateway',
    load: async () => (await import('./validate.ts')).validate,
  },
}

const HELP = `postern COMMAND [options]

${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join('\n')}

Run \`postern COMMAND --help\` for one of them.
Exit codes: 0 done, 1 refused or failed, 2 called wrongly, 3 done, and what was found is not what
is wanted (diff: there are changes; status: a node is not current; explain: no route).
`

/**
 * Runs one command line.
 * @param argv without the program's name
 * @returns the exit code: 0 done, 1 refused or failed, 2 called wrongly
 */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const [name, ...args] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.stdout(HELP)
    return name === undefined ? 2 : 0
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (entry === undefined) {
    io.stderr(`There is no command ${JSON.stringify(name)}.\n\n${HELP}`)
    return 2
  }
  try {
    const command = await entry.load()
    return await command(args, io)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    printError(io, error, args.includes('--json'))
    return error.exitCode
  }
}

/** Runs the process's command line. */
async function main(): Promise<void> {
  process.exitCode = await run(process.argv.slice(2), {
    cwd: process.cwd(),
    env: process.env,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    // to the upper left, and what stood there before is gone
    ...(process.stdout.isTTY && {
      redraw: (text: string) => void process.stdout.write(`\u001B[H\u001B[2J${text}`),
    }),
    // the line is written over
    ...(process.stderr.isTTY && {
      progress: (text: string) => void process.stderr.write(`\r\x1b[K${text}`),
    }),
    fetch,
    stdin: () => buffer(process.stdin),
  })
}

// The file is also imported; only as the program itself, behind npm's link or not, does it run.
const program = process.argv[1]
if (program !== undefined && realpathSync(program) === fileURLToPath(import.meta.url)) await main()
