/**
 * Builds the Worker as a deploy would and holds the size of its two modules: the first, which every
 * isolate runs, and the second, which only changes of the configuration and Cloudflare Access load.
 * What the registry says of plugins is not code of the gateway's and grows with every plugin.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const GATEWAY_BUDGET = 100 * 1024
const CONTROL_BUDGET = 60 * 1024

const repository = join(import.meta.dirname, '..')
const outdir = mkdtempSync(join(tmpdir(), 'postern-size-'))
try {
  const wrangler = join(repository, 'node_modules/wrangler/bin/wrangler.js')
  execFileSync(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', outdir], {
    cwd: repository,
    stdio: 'pipe',
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  })
  const whole = zipped(readFileSync(join(outdir, 'worker.js')))
  hold('gateway code without plugins', whole - (await zippedRegistry()), GATEWAY_BUDGET)
  console.log(`  (with the registry of plugins ${whole})`)
  hold(
    'second module, loaded on first use',
    zipped(readFileSync(join(outdir, 'control.js'))),
    CONTROL_BUDGET,
  )
} finally {
  rmSync(outdir, { recursive: true, force: true })
}

function hold(what: string, length: number, budget: number): void {
  console.log(`${what}: ${length} bytes gzip, budget ${budget}`)
  if (length > budget) process.exitCode = 1
}

function zipped(code: Uint8Array): number {
  return gzipSync(code, { level: 9 }).length
}

/** The registry by itself, minified as the Worker is. */
async function zippedRegistry(): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [join(repository, 'plugins/registry.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    external: ['*.wasm'],
    write: false,
  })
  const [file] = outputFiles
  return file === undefined ? 0 : zipped(file.contents)
}
