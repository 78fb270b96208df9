/** Runs `postern` in a temporary folder, against a gateway in this process or none. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from '../../src/cli/main.ts'

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandLine {
  readonly cwd: string
  /** Runs one command line, given as words. */
  postern(...argv: string[]): Promise<CommandResult>
}

const unreachable: typeof fetch = () =>
  Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }))

/**
 * @param files by their paths in the folder
 * @param options what the command finds outside
 */
export async function commandLine(
  files: Readonly<Record<string, string>>,
  options: {
    readonly fetch?: typeof fetch
    readonly env?: Readonly<Record<string, string>>
    /** What stands on standard input. */
    readonly stdin?: string | Uint8Array
  } = {},
): Promise<CommandLine> {
  const cwd = await mkdtemp(join(tmpdir(), 'postern-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true })
    await writeFile(join(cwd, name), text)
  }
  return {
    cwd,
    async postern(...argv) {
      let stdout = ''
      let stderr = ''
      const exitCode = await run(argv, {
        cwd,
        env: options.env ?? {},
        stdout: (text) => void (stdout += text),
        stderr: (text) => void (stderr += text),
        fetch: options.fetch ?? unreachable,
        stdin: () => Promise.resolve(Buffer.from(options.stdin ?? '')),
      })
      return { exitCode, stdout, stderr }
    },
  }
}
