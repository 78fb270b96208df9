/** Variables and bindings → what a gateway, or the host of its singletons, is made from. */
import type { GatewayOptions, ModuleSource } from '../gateway/index.ts'
import { consoleLog } from '../proxy-wasm/in-memory/console-log.ts'
import {
  type Env,
  logLevel,
  megabytes,
  metricTags,
  nodeInfo,
  reportSeconds,
  seconds,
  serviceBinding,
} from './env.ts'
import { kvConfigSource } from './kv-config.ts'
import { reportSink } from './report-sink.ts'

/** @param node - what reports call it; a variable's name for it when absent */
export function gatewayOptions(
  env: Env,
  modules: ModuleSource,
  node: string | undefined = env.NODE_NAME,
): GatewayOptions {
  return {
    source: kvConfigSource(env.KV),
    modules,
    reachable: {
      network: { fetch: (url, init) => fetch(url, init) },
      service: (name) => serviceBinding(env, name),
    },
    ports: { log: consoleLog(logLevel(env.LOG_LEVEL)), node: nodeInfo(env) },
    refreshSeconds: seconds(env.REFRESH_SECONDS),
    maxStaleSeconds: seconds(env.MAX_STALE_SECONDS),
    vmMemoryBytes: megabytes(env.VM_MEMORY_MB),
    metricTags: metricTags(env.METRIC_TAGS),
    reports: env.REPORTS && {
      sink: reportSink(env.REPORTS),
      everyMs: reportSeconds(env.REPORT_SECONDS) * 1000,
      node,
    },
  }
}
