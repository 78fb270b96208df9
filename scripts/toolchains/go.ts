import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MissingToolchain, ask, run, type Toolchain } from './toolchain.ts'

/** Go, the ordinary compiler: `src` is one module with the package `main`. */
export const go: Toolchain = {
  check() {
    const version = ask(['go', 'env', 'GOVERSION'])
    if (!version) throw new MissingToolchain('Go is missing: install it from https://go.dev/dl')
    const [major = 0, minor = 0] = version.replace('go', '').split('.').map(Number)
    if (major === 1 && minor < 24) {
      throw new MissingToolchain(`${version} cannot export functions to wasm: install Go 1.24`)
    }
    return version
  },

  build({ folder }) {
    const out = mkdtempSync(join(tmpdir(), 'go-'))
    try {
      const file = join(out, 'module.wasm')
      // No paths, no build id, no commit: the same source gives the same bytes anywhere.
      const options = ['-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid=']
      run(
        ['go', 'build', '-buildmode=c-shared', ...options, '-o', file, '.'],
        join(folder, 'src'),
        {
          GOOS: 'wasip1',
          GOARCH: 'wasm',
          GOTOOLCHAIN: 'local',
          GOFLAGS: '-mod=readonly',
        },
      )
      return readFileSync(file)
    } finally {
      rmSync(out, { recursive: true })
    }
  },
}
