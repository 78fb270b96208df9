import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackages, lockedVersion } from './node-packages.ts'
import { run, type Toolchain } from './toolchain.ts'

/** AssemblyScript: the entry is `src/assembly/index.ts`, the compiler comes from `src/package.json`. */
export const assemblyscript: Toolchain = {
  check({ folder }) {
    return lockedVersion(join(folder, 'src'), 'assemblyscript')
  },

  build({ folder }) {
    const source = join(folder, 'src')
    installPackages(source)
    const out = mkdtempSync(join(tmpdir(), 'asc-'))
    try {
      const file = join(out, 'module.wasm')
      const asc = join(source, 'node_modules/.bin/asc')
      // Without the replaced abort the module would import env.abort, which Envoy does not have.
      const options = ['-O3', '--use', 'abort=abort_proc_exit']
      const config = ['--config', 'node_modules/@assemblyscript/wasi-shim/asconfig.json']
      run([asc, 'assembly/index.ts', '-o', file, ...options, ...config], source)
      return readFileSync(file)
    } finally {
      rmSync(out, { recursive: true })
    }
  },
}
