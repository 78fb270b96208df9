/**
 * Builds the Worker as a deploy would and holds its size: the gateway's own code must stay within the
 * budget. What the registry says of plugins is not code of the gateway's and grows with every plugin.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const BUDGET_BYTES = 100 * 1024

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
  const length = whole - (await zippedRegistry())
  console.log(
    `gateway code without plugins: ${length} bytes gzip, budget ${BUDGET_BYTES}; with the registry of plugins ${whole}`,
  )
  if (length > BUDGET_BYTES) process.exitCode = 1
} finally {
  rmSync(outdir, { recursive: true, force: true })
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
