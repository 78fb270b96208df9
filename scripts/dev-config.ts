/**
 * The configuration under which the gateway runs on a laptop: `wrangler.toml` as it is deployed, with
 * the demo shop as a service binding, a pointer that is looked at every second, and rollouts that rise in a
 * few.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parse } from 'smol-toml'

/** The demo's binding: examples/retail/policy.yaml names it. */
const SHOP = { binding: 'SHOP', service: 'postern-demo-shop' }

/**
 * @param toml - text of wrangler.toml
 * @param root - path from the written file's folder to the repository
 * @returns the text of a wrangler.json
 */
export function devConfig(toml: string, root: string): string {
  const deployed = parse(toml) as Record<string, unknown>
  const vars = deployed['vars'] as Record<string, unknown>
  const build = deployed['build'] as Readonly<{ watch_dir: readonly string[] }>
  const from = (path: unknown): string => `${root}/${String(path)}`
  return JSON.stringify(
    {
      ...deployed,
      main: from(deployed['main']),
      base_dir: from(deployed['base_dir']),
      build: { ...build, watch_dir: build.watch_dir.map(from) },
      vars: {
        ...vars,
        REFRESH_SECONDS: '1',
        MAX_STALE_SECONDS: '2',
        REPORT_SECONDS: '2',
        RISE_LEAD_SECONDS: '3',
      },
      services: [...((deployed['services'] as unknown[] | undefined) ?? []), SHOP],
    },
    null,
    2,
  )
}

/**
 * Writes the configuration to `path`, and the local secrets beside it, where wrangler looks for them.
 * @param repository - absolute path of the repository
 */
export function writeDevConfig(path: string, repository: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const toml = readFileSync(`${repository}/wrangler.toml`, 'utf8')
  writeFileSync(path, devConfig(toml, relative(dirname(path), repository)))
  copyFileSync(join(repository, '.dev.vars'), join(dirname(path), '.dev.vars'))
}
