import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackages, lockedVersion } from './node-packages.ts'
import { run, type Toolchain } from './toolchain.ts'

/** WebAssembly text: each version is one `.wat` file of that name. */
export const wat: Toolchain = {
  check({ folder }) {
    return lockedVersion(join(folder, 'src'), 'wabt')
  },

  build({ folder }, { version }) {
    const source = join(folder, 'src')
    installPackages(source)
    const out = mkdtempSync(join(tmpdir(), 'wat-'))
    try {
      const file = join(out, 'module.wasm')
      run([join(source, 'node_modules/.bin/wat2wasm'), `${version}.wat`, '-o', file], source)
      return readFileSync(file)
    } finally {
      rmSync(out, { recursive: true })
    }
  },
}
