/**
 * src/worker.ts as it is, bundled as a deploy would, with the fixtures beside the shipped plugins in
 * its registry; the second module beside it. Beside it, too, the same with a clock that tests move.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { readPluginModules } from '../../src/cli/plugin-modules.ts'
import { controlBuild } from '../../scripts/build-control.ts'
import { registrySource } from '../../src/cli/registry-source.ts'

const repository = join(import.meta.dirname, '../..')
const shipped = join(repository, 'plugins/registry.ts')
const fixtures = join(repository, 'test/fixtures')

/** Where bundle-once.ts says which folder the run's bundle is in. */
export const BUNDLE_VARIABLE = 'POSTERN_TEST_WORKER'

let bundled: Promise<string> | undefined

/** Bundles unless the run has done so. @returns the folder with worker.js, control.js and the modules */
export async function bundleWorker(): Promise<string> {
  return process.env[BUNDLE_VARIABLE] ?? (await (bundled ??= bundle()))
}

async function bundle(): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), 'postern-worker-'))
  process.on('exit', () => rmSync(outdir, { recursive: true, force: true }))
  await build({
    entryPoints: {
      worker: join(repository, 'src/worker.ts'),
      clocked: join(import.meta.dirname, 'worker/clocked.js'),
    },
    outdir,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    plugins: [withFixtures, wasmBeside],
    logLevel: 'error',
  })
  await build({ ...controlBuild(), outdir })
  return outdir
}

const withFixtures: Plugin = {
  name: 'with-fixtures',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/plugins\/registry\.ts$/ }, ({ importer }) =>
      importer.endsWith('src/worker.ts') ? { path: 'both', namespace: 'registry' } : undefined,
    )
    // beside the bundle, so that each start can have its own
    onResolve({ filter: /\/plugins\/baseline\.ts$/ }, () => ({
      path: './baseline.js',
      external: true,
    }))
    onResolve({ filter: /^fixtures$/ }, () => ({ path: 'fixtures', namespace: 'registry' }))
    onLoad({ filter: /^both$/, namespace: 'registry' }, () => ({
      contents: `import { registry as shipped } from ${JSON.stringify(shipped)}
import { registry as fixtures } from 'fixtures'
export const registry = [...shipped, ...fixtures]`,
      loader: 'ts',
      resolveDir: repository,
    }))
    onLoad({ filter: /^fixtures$/, namespace: 'registry' }, async () => ({
      // the other fixtures are modules that no registry takes
      contents: registrySource(await readPluginModules(fixtures, 'start-conventions')),
      loader: 'ts',
      resolveDir: fixtures,
    }))
  },
}

/** workerd wants modules as files of their own. */
const wasmBeside: Plugin = {
  name: 'wasm-beside',
  setup({ onResolve, onEnd, initialOptions }) {
    const found = new Map<string, string>()
    onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
      const file = join(resolveDir, path)
      const name = `${basename(dirname(file))}-${basename(file)}`
      found.set(name, file)
      return { path: `./${name}`, external: true }
    })
    onEnd(async () => {
      const { copyFile } = await import('node:fs/promises')
      const outdir = initialOptions.outdir ?? ''
      await Promise.all([...found].map(([name, file]) => copyFile(file, join(outdir, name))))
    })
  },
}
