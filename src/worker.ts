/** The Worker: bindings → ports, the app, and the Durable Object classes. Nothing else. */
import { baseline } from '../plugins/baseline.ts'
import { registry } from '../plugins/registry.ts'
import { app } from './app.ts'
import { adminAuth } from './cloudflare/admin-auth.ts'
import { adminPorts } from './cloudflare/admin-ports.ts'
import type { Env } from './cloudflare/env.ts'
import { type Bundled, gatewayOptions } from './cloudflare/gateway-options.ts'
import { PolicyObjectBase } from './cloudflare/policy-object.ts'
import { SingletonObjectBase, singletonsOf } from './cloudflare/singleton-object.ts'
import { boundModules, Gateway, type ModuleSource } from './gateway/index.ts'

const bundled: Bundled = { modules: boundModules(registry), baseline }

/** The one writer of the active pointer. */
export class PolicyObject extends PolicyObjectBase {
  protected override modules(): ModuleSource {
    return bundled.modules
  }
}

/** Where all isolates report. */
export { ReportObject } from './cloudflare/report-object.ts'

/** What takes rollouts forward. */
export { RolloutObject } from './cloudflare/rollout-object.ts'

/** Where the singletons of the gateway run. */
export class SingletonObject extends SingletonObjectBase {
  protected override bundled(): Bundled {
    return bundled
  }
}

function start(env: Env): ReturnType<typeof app> {
  const gateway = new Gateway({
    ...gatewayOptions(env, bundled),
    singletons: env.SINGLETONS && singletonsOf(env.SINGLETONS),
  })
  const admin = { ...adminAuth(env), ports: adminPorts(gateway, env) }
  return app({ gateway, admin, adminHost: env.ADMIN_HOST })
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
