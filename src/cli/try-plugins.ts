/**
 * Starts plugins of a snapshot here, each in a vm of its own, as a gateway would: what does not start on
 * this machine would not start there.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startable } from '../config/candidate-plugins.ts'
import type { Snapshot, SnapshotPlugin } from '../config/snapshot.ts'
import { describeError } from '../proxy-wasm/index.ts'
import { compileModule, PluginUnderTest } from '../testing/plugin-under-test.ts'
import { readPluginModules } from './plugin-modules.ts'

/** One plugin that did not start. */
export interface FailedStart {
  readonly plugin: string
  readonly reason: string
  readonly logs: readonly string[]
}

/**
 * @param folder `plugins/`, where the modules are
 * @returns the plugins, and candidates of rollouts, that do not start; empty when all of them do
 */
export async function tryPlugins(
  snapshot: Snapshot,
  folder: string,
): Promise<readonly FailedStart[]> {
  const files = new Map<string, string>()
  for (const { name, versions } of await readPluginModules(folder)) {
    for (const { sha256, file } of versions) files.set(sha256, join(folder, name, file))
  }
  const failed: FailedStart[] = []
  for (const [plugin, config] of Object.entries(startable(snapshot))) {
    const file = files.get(config.module)
    const failure =
      file === undefined
        ? { plugin, reason: `there is no module ${config.module} here`, logs: [] }
        : await tryPlugin(plugin, config, file)
    if (failure !== undefined) failed.push(failure)
  }
  return failed
}

async function tryPlugin(
  name: string,
  config: SnapshotPlugin,
  file: string,
): Promise<FailedStart | undefined> {
  const { env, allowedCapabilities, configuration, vmConfiguration } = config
  const { rootId, vmId, shareVm, failStrategy, limits, allowOnHeadersStopIteration } = config
  const options = { name, rootId, vmId, shareVm, failStrategy, limits, configuration }
  const trial = await PluginUnderTest.create(
    {
      ...options,
      vmConfiguration,
      allowedCapabilities,
      allowOnHeadersStopIteration,
      module: await compileModule(new Uint8Array(await readFile(file))),
      // what only a node has is not known here
      environment: env.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    },
    // nothing leaves this machine: what a plugin asks for while it starts does not come
    { time: BigInt(Date.now()) * 1_000_000n, callout: () => new Promise(() => undefined) },
  )
  try {
    trial.start()
    return undefined
  } catch (error) {
    const logs = trial.takeLogs().map(({ message }) => message)
    return { plugin: name, reason: describeError(error), logs }
  }
}
