/**
 * Builds the second module of the Worker (`src/control.ts`). wrangler runs it before it bundles the first
 * (`[build]` in wrangler.toml) and deploys what it finds in its folder (`base_dir`) beside it, as it is.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build, type BuildOptions } from 'esbuild'
import { parse } from 'smol-toml'

const repository = join(import.meta.dirname, '..')

interface Deployed {
  readonly base_dir: string
  readonly minify: boolean
  readonly define: Readonly<Record<string, string>>
}

/** @returns how esbuild makes the module, as wrangler.toml says of the first one */
export function controlBuild(): BuildOptions {
  const { minify, define } = deployed()
  return {
    entryPoints: { control: join(repository, 'src/control.ts') },
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    minify,
    define: { ...define },
    logLevel: 'warning',
  }
}

function deployed(): Deployed {
  return parse(readFileSync(join(repository, 'wrangler.toml'), 'utf8')) as unknown as Deployed
}

/** Writes it where wrangler looks: whole, because several builds may look and write at once. */
async function writeControl(): Promise<void> {
  const folder = join(repository, deployed().base_dir)
  const { outputFiles } = await build({
    ...controlBuild(),
    sourcemap: true,
    outdir: folder,
    write: false,
  })
  mkdirSync(folder, { recursive: true })
  for (const { path, contents } of outputFiles) {
    const draft = join(folder, '..', `${basename(path)}.${process.pid}`)
    writeFileSync(draft, contents)
    renameSync(draft, path)
  }
}

if (import.meta.main) await writeControl()
