/** Variables and bindings → what a gateway, or the host of its singletons, is made from. */
import type { Baseline } from '../config/active-config.ts'
import type { GatewayOptions, ModuleSource } from '../gateway/index.ts'
import { consoleLog } from '../proxy-wasm/in-memory/console-log.ts'
import {
  type Env,
  logLevel,
  megabytes,
  metricTags,
  nodeInfo,
  reportSeconds,
  rolloutSecret,
  seconds,
  serviceBinding,
} from './env.ts'
import { gatewayNode } from './node.ts'
import { cacheCopy } from './cache-copy.ts'
import { kvConfigSource } from './kv-config.ts'
import { reportSinkOf } from './report-sink.ts'
import { pointerTrust } from './trust.ts'

/** What the Worker was deployed with beside its bindings. */
export interface Bundled {
  readonly modules: ModuleSource
  readonly baseline: Baseline | undefined
}

/** @param node - what reports call it; a variable's name for it when absent */
export function gatewayOptions(
  env: Env,
  { modules, baseline }: Bundled,
  node: string | undefined = env.NODE_NAME,
): GatewayOptions {
  const sink = reportSinkOf(env)
  return {
    source: kvConfigSource(env.KV),
    modules,
    reachable: {
      network: { fetch: (url, init) => fetch(url, init) },
      service: (name) => serviceBinding(env, name),
    },
    ports: { log: consoleLog(logLevel(env.LOG_LEVEL)), node: nodeInfo(env) },
    node: gatewayNode(env),
    trust: pointerTrust(env),
    refreshSeconds: seconds(env.REFRESH_SECONDS),
    maxStaleSeconds: seconds(env.MAX_STALE_SECONDS),
    copy: cacheCopy(env.POLICY.idFromName('policy').toString()),
    baseline: env.BASELINE === 'refuse' ? undefined : baseline,
    vmMemoryBytes: megabytes(env.VM_MEMORY_MB),
    metricTags: metricTags(env.METRIC_TAGS),
    rolloutSecret: rolloutSecret(env),
    reports: sink && {
      sink,
      everyMs: reportSeconds(env.REPORT_SECONDS) * 1000,
      node,
    },
  }
}
