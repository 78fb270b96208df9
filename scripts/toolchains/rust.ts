import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { MissingToolchain, ask, run, type Toolchain } from './toolchain.ts'

const usualTarget = 'wasm32-wasip1'

/** Cargo: every crate is named after its plugin and belongs to the workspace of the parent folder. */
export const rust: Toolchain = {
  check({ manifest }) {
    const version = ask(['rustc', '--version'])
    if (!version) throw new MissingToolchain('Rust is missing: install it from https://rustup.rs')
    for (const target of [usualTarget, ...Object.values(manifest.build.targets ?? {})]) {
      const library = ask(['rustc', '--print', 'target-libdir', '--target', target])
      if (!library || !ask(['ls', library])) {
        throw new MissingToolchain(`Rust's ${target} is missing: rustup target add ${target}`)
      }
    }
    return version.split(' ').slice(0, 2).join(' ')
  },

  build({ folder, manifest }, { version }) {
    const workspace = dirname(folder)
    const target = manifest.build.targets?.[version] ?? usualTarget
    const features = manifest.build.features?.[version] ?? []
    const options = ['--release', '--locked', '--target', target, '--no-default-features']
    const what = ['--package', manifest.name, '--features', features.join(',')]
    run(['cargo', 'build', ...options, ...what], workspace, {
      // Separated by 0x1f so that a path may hold spaces.
      CARGO_ENCODED_RUSTFLAGS: remapped(workspace).join('\x1f'),
      CARGO_TARGET_DIR: join(workspace, 'target'),
    })
    const file = `${manifest.name.replaceAll('-', '_')}.wasm`
    return readFileSync(join(workspace, 'target', target, 'release', file))
  },
}

/** Panic messages hold source paths; without this, bytes would differ from machine to machine. */
function remapped(workspace: string): string[] {
  const cargo = process.env['CARGO_HOME'] ?? join(homedir(), '.cargo')
  return [`--remap-path-prefix=${cargo}=/cargo`, `--remap-path-prefix=${workspace}=/build`]
}
