/** Scenarios → Postern's resources: a route for each scenario's host, its plugins, its upstream. */
import { pluginPolicy, upstream, wasmPlugin } from '../support/policy.ts'
import { moduleUrl } from './module-files.ts'
import {
  CALLEE,
  configOf,
  hostOf,
  isProbe,
  labelOf,
  type Numbered,
  REFUSED,
  type ScenarioPlugin,
  vmIdOf,
} from './scenario.ts'
import type { Upstreams } from './upstreams.ts'

export function posternPolicy(scenarios: readonly Numbered[], upstreams: Upstreams): object[] {
  const callee = upstream(CALLEE, { url: upstreams.callee.url })
  const refused = upstream(REFUSED, { url: `http://127.0.0.1:${upstreams.refusedPort}` })
  const own = scenarios.flatMap((scenario) => [
    upstream(scenario.id, { url: upstreams.origins.get(scenario.id)?.url, timeoutMs: 10_000 }),
    routeOf(scenario),
    ...scenario.plugins.flatMap((plugin, i) => pluginOf(scenario, plugin, i)),
  ])
  return [callee, refused, ...own]
}

function routeOf(scenario: Numbered): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: scenario.id },
    spec: {
      hostnames: [hostOf(scenario)],
      rules: [{ backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: scenario.id }] }],
    },
  }
}

function pluginOf(scenario: Numbered, plugin: ScenarioPlugin, index: number): object[] {
  const label = labelOf(index)
  const name = `${scenario.id}-${label}`
  const { env, failStrategy, capabilities, vmConfiguration, bodyBytes } = plugin
  const variables = Object.entries(env ?? {}).map(([key, value]) => ({ name: key, value }))
  const spec = {
    priority: -index,
    ...(isProbe(plugin) && { pluginName: label }),
    ...(failStrategy && { failStrategy }),
    ...(env && { vmConfig: { env: variables } }),
  }
  const policy = {
    vmId: vmIdOf(scenario, plugin, index),
    shareVm: plugin.vm !== undefined,
    allowOnHeadersStopIteration: plugin.allowOnHeadersStopIteration ?? false,
    ...(capabilities && { allowedCapabilities: capabilities }),
    ...(vmConfiguration !== undefined && { vmConfiguration }),
    ...(bodyBytes !== undefined && { limits: { bodyBytes } }),
  }
  return [
    wasmPlugin(name, moduleUrl(plugin), configOf(scenario, plugin), spec, [scenario.id]),
    pluginPolicy(name, policy),
  ]
}
