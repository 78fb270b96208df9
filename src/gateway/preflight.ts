/** Tries changed plugins in scratch vms before anything is written: they must start and accept their configuration. */
import { startable } from '../config/candidate-plugins.ts'
import type { Preflight, PreflightResult } from '../config/preflight.ts'
import type { PluginId, Snapshot, SnapshotPlugin } from '../config/snapshot.ts'
import { Counter } from '../observe/index.ts'
import {
  describeError,
  inMemoryPorts,
  type IoContext,
  Plugin,
  runIn,
  VmPool,
  vmKey,
} from '../proxy-wasm/index.ts'
import type { ModuleSource } from './modules.ts'
import { type GatewayNode, isSelected, lacksVariables, PLAIN_NODE } from './node.ts'
import { toPluginSpec } from './plugin-spec.ts'
import { SingletonQueues } from './singletons.ts'

/** Lines kept of what one plugin logs. */
const LOG_LINES = 50
const INFO = 2

/**
 * @param modules - where the gateway that will run the snapshot takes its modules from
 * @param node - that tries them: what it gives to plugins
 */
export function preflight(modules: ModuleSource, node: GatewayNode = PLAIN_NODE): Preflight {
  return async (snapshot, changed) => {
    const all = startable(snapshot)
    return Promise.all(
      changed.flatMap((id) => {
        const config = all[id]
        return config ? tryPlugin(id, config, modules, snapshot, node) : []
      }),
    )
  }
}

async function tryPlugin(
  plugin: PluginId,
  config: SnapshotPlugin,
  modules: ModuleSource,
  snapshot: Snapshot,
  node: GatewayNode,
): Promise<PreflightResult> {
  if (!isSelected(config, node) && lacksVariables(config, node)) {
    // it runs elsewhere, with what only that node has: nothing would be learnt here
    return { plugin, ok: true, logs: [] }
  }
  const logs: string[] = []
  const sharedQueues = new SingletonQueues({ enqueue: async () => undefined }, new Counter())
  sharedQueues.follow(snapshot)
  const pool = new VmPool(
    inMemoryPorts({
      log: {
        level: INFO,
        log: ({ message }) => {
          if (logs.length < LOG_LINES) logs.push(message)
        },
      },
      // a call made while configuring is under way and stays so: nothing leaves a preflight
      httpCalls: {
        start: () => ({ outcome: new Promise(() => undefined), cancel: () => undefined }),
      },
      sharedQueues,
      timers: { after: () => () => undefined },
    }),
  )
  const io: IoContext = { waitUntil: () => undefined, gone: false }
  try {
    const module = modules.load(config.module)
    if (module === undefined) {
      return { plugin, ok: false, reason: `module ${config.module} is not bound here`, logs }
    }
    const spec = toPluginSpec(config, module, node)
    const trial = new Plugin(spec, await vmKey(spec), pool)
    runIn(io, () => {
      trial.start()
      trial.retire()
    })
    return { plugin, ok: true, logs }
  } catch (error) {
    return { plugin, ok: false, reason: describeError(error), logs }
  }
}
