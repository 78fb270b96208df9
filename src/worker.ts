/** The Worker: bindings → ports, the app, and the Durable Object classes. Nothing else. */
import { registry } from '../plugins/registry.ts'
import { app } from './app.ts'
import {
  type Env,
  logLevel,
  megabytes,
  metricTags,
  nodeInfo,
  reportSeconds,
  seconds,
  serviceBinding,
  serviceNames,
} from './cloudflare/env.ts'
import { kvConfigSource, kvPolicyStore } from './cloudflare/kv-config.ts'
import { PolicyObjectBase, type PolicyObjectParts } from './cloudflare/policy-object.ts'
import { ReportObjectBase } from './cloudflare/report-object.ts'
import { announcingStore, reportSink } from './cloudflare/report-sink.ts'
import { boundModules, Gateway, preflight } from './gateway/index.ts'
import { consoleLog } from './proxy-wasm/in-memory/console-log.ts'

const modules = boundModules(registry)

/** The one writer of the active pointer. */
export class PolicyObject extends PolicyObjectBase<Env> {
  protected override parts(env: Env): PolicyObjectParts {
    return {
      store: announcingStore(kvPolicyStore(env.KV), async (active) =>
        env.REPORTS?.getByName('reports').announce(active),
      ),
      catalog: modules.modules,
      services: serviceNames(env),
      preflight: preflight(modules),
    }
  }
}

/** Where all isolates report. */
export class ReportObject extends ReportObjectBase<Env> {
  protected override everySeconds(env: Env): number {
    return reportSeconds(env.REPORT_SECONDS)
  }
}

function start(env: Env): ReturnType<typeof app> {
  const gateway = new Gateway({
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
      node: env.NODE_NAME,
    },
  })
  return app({
    gateway,
    admin: {
      token: env.ADMIN_TOKEN,
      ports: {
        status: (scope) => gateway.status(scope),
        refresh: async (scope) => {
          await gateway.refresh(scope)
          return gateway.status(scope)
        },
        metrics: (scope, node) => gateway.metrics(scope, node),
        // a stub belongs to the request that made it
        apply: (request) => env.POLICY.getByName('policy').apply(request),
      },
    },
  })
}

// one gateway for each isolate, made by its first request: there are no bindings before
let started: ReturnType<typeof app> | undefined

const worker: ExportedHandler<Env> = {
  fetch(request, env, ctx) {
    started ??= start(env)
    return started.fetch(request, env, ctx)
  },
}

export default worker
