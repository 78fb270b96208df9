/** Bound modules by `name:version`: their files for Envoy, their urls for Postern. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROBE, type ScenarioPlugin } from './scenario.ts'

const repository = join(import.meta.dirname, '../..')
/** Folders with a folder for each module, and what the urls of the modules there begin with. */
const FIXTURES: ReadonlySet<string> = new Set(['probe', 'sdk-rust', 'sdk-go', 'sdk-as'])

interface Manifest {
  readonly versions: readonly { readonly version: string; readonly file: string }[]
}

function split({ module = PROBE }: ScenarioPlugin): { name: string; version: string } {
  const colon = module.indexOf(':')
  return { name: module.slice(0, colon), version: module.slice(colon + 1) }
}

export function moduleFile(plugin: ScenarioPlugin): string {
  const { name, version } = split(plugin)
  const folder = join(repository, FIXTURES.has(name) ? 'test/fixtures' : 'plugins', name)
  const manifest = JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8')) as Manifest
  const found = manifest.versions.find((one) => one.version === version)
  if (found === undefined) throw new Error(`there is no ${name} ${version}`)
  return join(folder, found.file)
}

export function moduleUrl(plugin: ScenarioPlugin): string {
  const { name, version } = split(plugin)
  const registry = FIXTURES.has(name) ? 'fixtures' : 'ghcr.io/postern'
  return `oci://${registry}/${name}:${version}`
}
