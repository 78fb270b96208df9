/** The Worker: bindings → ports, the app, and the Durable Object classes. Nothing else. */
import { baseline } from '../plugins/baseline.ts'
import { registry } from '../plugins/registry.ts'
import { app } from './app.ts'
import { adminAuth } from './cloudflare/admin-auth.ts'
import { type Env, reportSeconds, serviceNames } from './cloudflare/env.ts'
import { type Bundled, gatewayOptions } from './cloudflare/gateway-options.ts'
import { kvPolicyStore } from './cloudflare/kv-config.ts'
import { gatewayNode, nodeFacts } from './cloudflare/node.ts'
import { PolicyObjectBase, type PolicyObjectParts } from './cloudflare/policy-object.ts'
import { ReportObjectBase } from './cloudflare/report-object.ts'
import { announcingStore } from './cloudflare/report-sink.ts'
import { SingletonObjectBase, singletonsOf } from './cloudflare/singleton-object.ts'
import { trustedKeys } from './cloudflare/trust.ts'
import { boundModules, Gateway, preflight, type SingletonHostOptions } from './gateway/index.ts'

const modules = boundModules(registry)
const bundled: Bundled = { modules, baseline }

/** The one writer of the active pointer. */
export class PolicyObject extends PolicyObjectBase<Env> {
  protected override parts(env: Env): PolicyObjectParts {
    return {
      store: announcingStore(kvPolicyStore(env.KV), (active) =>
        Promise.all([
          env.REPORTS?.getByName('reports').announce(active),
          env.SINGLETONS?.getByName('singletons').wake(active.revision),
        ]),
      ),
      catalog: modules.modules,
      services: serviceNames(env),
      preflight: preflight(modules, gatewayNode(env)),
      node: nodeFacts(env),
      rootNamespace: env.ROOT_NAMESPACE || undefined,
      trusted: trustedKeys(env),
    }
  }
}

/** Where all isolates report. */
export class ReportObject extends ReportObjectBase<Env> {
  protected override everySeconds(env: Env): number {
    return reportSeconds(env.REPORT_SECONDS)
  }
}

/** Where the singletons of the gateway run. */
export class SingletonObject extends SingletonObjectBase<Env> {
  protected override parts(env: Env): Omit<SingletonHostOptions, 'due'> {
    return gatewayOptions(env, bundled, 'singletons')
  }
}

function start(env: Env): ReturnType<typeof app> {
  const gateway = new Gateway({
    ...gatewayOptions(env, bundled),
    singletons: env.SINGLETONS && singletonsOf(env.SINGLETONS),
  })
  return app({
    gateway,
    adminHost: env.ADMIN_HOST,
    admin: {
      ...adminAuth(env),
      ports: {
        status: (scope) => gateway.status(scope),
        refresh: async (scope) => {
          await gateway.refresh(scope)
          return gateway.status(scope)
        },
        metrics: (scope, node) => gateway.metrics(scope, node),
        explain: (request, scope) => gateway.explain(request, scope),
        // a stub belongs to the request that made it
        apply: (request) => env.POLICY.getByName('policy').apply(request),
        rollback: (request) => env.POLICY.getByName('policy').rollback(request),
        history: () => env.POLICY.getByName('policy').history(),
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
