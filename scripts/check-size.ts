/**
 * Builds the Worker as a deploy would and holds its size: the gateway's own code, without plugins,
 * must stay within the budget.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

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
  const { length } = gzipSync(readFileSync(join(outdir, 'worker.js')), { level: 9 })
  console.log(`gateway code without plugins: ${length} bytes gzip, budget ${BUDGET_BYTES}`)
  if (length > BUDGET_BYTES) process.exitCode = 1
} finally {
  rmSync(outdir, { recursive: true, force: true })
}
