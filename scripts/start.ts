/**
 * `npm start`: the gateway in `wrangler dev` with a small shop behind it and the policy of
 * examples/retail. The first start applies that policy; later ones go on with what was applied last
 * (`npm start -- --reset` begins anew).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CliIo } from '../src/cli/cli-io.ts'
import { run } from '../src/cli/main.ts'
import { devPort, refuseBusyPort } from './dev-port.ts'
import { ensureDevSecrets } from './dev-vars.ts'
import { writeDevConfig } from './dev-config.ts'

const repository = join(import.meta.dirname, '..')
const state = join(repository, '.wrangler/state')
const config = join(repository, '.wrangler/dev/wrangler.json')
const shop = join(repository, 'examples/retail/shop/wrangler.toml')
const READY_MS = 60_000
const unseeded = (gateway: string): string => `
The example policy was not applied; see above. The gateway runs on ${gateway} all the same and answers 503
until something is: npx postern apply -f POLICY --gateway ${gateway}
`

const io: CliIo = {
  cwd: repository,
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  fetch,
}

function startGateway(port: number): ChildProcess {
  const wrangler = join(repository, 'node_modules/wrangler/bin/wrangler.js')
  return spawn(
    process.execPath,
    [
      wrangler,
      'dev',
      '-c',
      config,
      '-c',
      shop,
      '--persist-to',
      state,
      '--ip',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--show-interactive-dev-session=false',
    ],
    {
      cwd: repository,
      stdio: ['ignore', 'inherit', 'inherit'],
      // nothing of a local start leaves the machine
      env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' },
    },
  )
}

/** Waits for the gateway to answer. @throws when it does not, or has ended */
async function untilReady(child: ChildProcess, gateway: string): Promise<void> {
  const deadline = Date.now() + READY_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`wrangler dev ended with code ${child.exitCode}`)
    const answer = await fetch(`${gateway}/-/healthz`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`the gateway did not answer on ${gateway} within ${READY_MS / 1000} s`)
}

/**
 * Applies the example policy unless something was applied before.
 * @returns false when the gateway has nothing to run: where it takes signed revisions alone, say
 */
async function seed(gateway: string): Promise<boolean> {
  const first = await fetch(`${gateway}/`)
  const body = await first.text()
  if (first.status !== 503 || !body.includes('config.none')) return true
  const policy = join(repository, 'examples/retail/policy.yaml')
  const code = await run(['apply', '-f', policy, '--gateway', gateway, '--why', 'first start'], io)
  return code === 0
}

function greet(port: number, gateway: string): void {
  const elsewhere = port === 8787 ? '' : `PORT=${port} `
  io.stdout(`
Postern is running on ${gateway}, a small shop behind it. In another terminal:

  curl -i ${gateway}/items                a header set by header-policy 1.0.0
  curl    ${gateway}/orders/1001          a card number masked
  curl -i ${gateway}/api/stock            401: the API wants a key
  curl    ${gateway}/api/stock -H 'x-api-key: demo-key-store-042'

  ${elsewhere}npx postern apply -f examples/retail-upgrade/header-policy-1.1.0.yaml
  curl -i ${gateway}/items                the next version, nothing restarted

Stop with Ctrl-C.
`)
}

async function main(): Promise<void> {
  const port = devPort(process.env['PORT'])
  const gateway = `http://127.0.0.1:${port}`
  // before anything is changed: with --reset, what another gateway of this folder runs on would be gone
  await refuseBusyPort(port)
  if (process.argv.includes('--reset')) rmSync(state, { recursive: true, force: true })
  ensureDevSecrets(join(repository, '.dev.vars'))
  writeDevConfig(config, repository)
  const child = startGateway(port)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(process.exitCode || (code ?? 0)))
  try {
    await untilReady(child, gateway)
    if (await seed(gateway)) greet(port, gateway)
    else io.stderr(unseeded(gateway))
  } catch (error) {
    child.kill('SIGTERM')
    throw error
  }
}

await main().catch((error: unknown) => {
  io.stderr(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
