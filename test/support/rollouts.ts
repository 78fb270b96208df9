/** Rollouts in a test's gateway: their resources, and what the rollout object would say of them. */
import { pluginVersion } from '../../src/config/plugin-version.ts'
import type { KvFiles } from './kv-files.ts'
import { headerProbe } from './policy.ts'
import { rolloutResource } from './rollout-policy.ts'

/** The secret of a gateway under test. */
export const ROLLOUT_SECRET = 'a secret of the tests'

/** A plugin that puts `x-<name>: <value>` on every response, after what `script` says. */
export function marking(name: string, value: string, script: object = {}): object {
  const response_headers = [{ call: 'set_header', name: `x-${name}`, value }]
  return headerProbe(name, { response_headers, ...script })
}

/** A rollout `<plugin>-next` of a plugin to the configuration of another; half of the requests, for an hour. */
export function rolloutTo(plugin: string, candidate: object, spec: object = {}): object {
  const { pluginConfig } = (candidate as { spec: { pluginConfig: object } }).spec
  return rolloutResource(plugin, pluginConfig, spec, `${plugin}-next`)
}

let version = 1_000

/** Says what the rollout object would: each rollout of what is active has this weight, from now on. */
export async function weigh(
  kv: KvFiles,
  weight: number,
  state: object = {},
  kills: object[] = [],
): Promise<void> {
  const { snapshot } = JSON.parse(kv.read('active')) as { snapshot: string }
  const { rollouts = [] } = JSON.parse(kv.read(`snapshot.${snapshot}`)) as {
    rollouts?: { id: string; mode: string; candidate: { module: string; configuration: string } }[]
  }
  const states = rollouts.map(async ({ id, mode, candidate }) => {
    const moves = [{ effectiveAt: Date.now() - 1000, weight, mode }]
    const digest = await pluginVersion(candidate)
    const known = { run: 1, candidate: digest, phase: 'running', reason: 'by hand', moves }
    return [id, { ...known, ...state }] as const
  })
  version += 1
  const published = Object.fromEntries(await Promise.all(states))
  kv.put('rollouts', JSON.stringify({ version, rollouts: published, kills }))
}
