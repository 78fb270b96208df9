/** Builds both sides: the gateway as it is deployed, the baselines with esbuild. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { parse } from 'smol-toml'
import type { CatalogModule } from '../src/config/compile/module-catalog.ts'
import { seedEntries } from '../src/config/seed.ts'
import type { Snapshot } from '../src/config/snapshot.ts'
import { type BenchPlugin, type BenchRollout, resources } from './policy.ts'
import { BENCH_TOKEN } from './rollout-share.ts'
import { rolloutsText } from './rollouts-text.ts'
import type { WorkerBundle } from './workerd.ts'

const repository: string = fileURLToPath(new URL('..', import.meta.url))

/** Builds the Worker of `wrangler.toml` once. @returns the folder with its modules */
export function buildGateway(scratch: string): string {
  const folder = join(scratch, 'gateway')
  const wrangler = join(repository, 'node_modules', 'wrangler', 'bin', 'wrangler.js')
  const args = [wrangler, 'deploy', '--dry-run', '--outdir', folder]
  execFileSync(process.execPath, args, {
    cwd: repository,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  })
  return folder
}

/** The gateway with a store of its own, in which the plugins are on the only route, and a rollout runs. */
export async function gatewayBundle(
  built: string,
  folder: string,
  plugins: readonly BenchPlugin[],
  upstreamPort: number,
  rollout?: BenchRollout,
): Promise<WorkerBundle> {
  const at = '2026-11-01T00:00:00.000Z'
  const seed = await seedEntries(resources(plugins, upstreamPort, rollout), catalog(), at)
  if (seed.entries.length === 0) throw new Error(JSON.stringify(seed.problems, null, 2))
  mkdirSync(join(folder, 'kv'), { recursive: true })
  for (const { key, value } of seed.entries) writeFileSync(join(folder, 'kv', key), value)
  if (rollout !== undefined) {
    const { rollouts = [] } = JSON.parse(seed.entries[0]?.value ?? '{}') as Snapshot
    const [compiled] = rollouts
    if (compiled === undefined) throw new Error('the snapshot has no rollout')
    writeFileSync(join(folder, 'kv', 'rollouts'), await rolloutsText(compiled, rollout.weight))
  }
  const files = readdirSync(built).filter((file) => /\.(?:js|wasm)$/.test(file))
  for (const file of files) writeFileSync(join(folder, file), readFileSync(join(built, file)))
  return {
    folder,
    // the first is the one that is run
    modules: files.toSorted((a, b) => Number(b === 'worker.js') - Number(a === 'worker.js')),
    compatibilityFlags: deployedFlags(),
    // the configuration does not change in a run: what is measured is requests
    vars: {
      REFRESH_SECONDS: '30',
      MAX_STALE_SECONDS: '60',
      LOG_LEVEL: 'warn',
      ADMIN_TOKEN: BENCH_TOKEN,
    },
    isGateway: true,
  }
}

/** The compatibility flags that the gateway is deployed with. */
function deployedFlags(): readonly string[] {
  const { compatibility_flags: flags } = parse(
    readFileSync(join(repository, 'wrangler.toml'), 'utf8'),
  ) as unknown as { readonly compatibility_flags: readonly string[] }
  return flags
}

/** A Worker of `workers/`, with the upstream's URL as `env.UPSTREAM`. */
export async function baselineBundle(
  name: string,
  folder: string,
  upstreamPort: number,
): Promise<WorkerBundle> {
  await bundleWorker(name, folder)
  return {
    folder,
    modules: ['worker.js'],
    compatibilityFlags: [],
    vars: { UPSTREAM: `http://127.0.0.1:${upstreamPort}` },
    isGateway: false,
  }
}

/** Bundles `workers/<name>.ts` to `folder`/worker.js; wasm imports are left as they are. */
export async function bundleWorker(name: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  await build({
    entryPoints: [join(repository, 'bench', 'workers', `${name}.ts`)],
    outfile: join(folder, 'worker.js'),
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['*.wasm', './modules.js'],
    logLevel: 'warning',
  })
}

interface Manifest {
  readonly name: string
  readonly versions: readonly {
    readonly version: string
    readonly file: string
    readonly sha256: string
    readonly urls: readonly string[]
  }[]
}

/** A module that is shipped, and where its bytes are. */
export interface ShippedModule extends CatalogModule {
  readonly file: string
}

/** Every module under plugins/ with its manifest. */
export function catalog(): readonly ShippedModule[] {
  const folder = join(repository, 'plugins')
  return readdirSync(folder)
    .filter((name) => readdirOf(join(folder, name)).includes('plugin.json'))
    .flatMap((plugin) => {
      const manifest = join(folder, plugin, 'plugin.json')
      const { name, versions } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest
      return versions.map(({ version, file, sha256, urls }) => ({
        name,
        version,
        sha256,
        urls,
        file: join(folder, plugin, file),
      }))
    })
}

function readdirOf(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
