/** Scenarios → Envoy's bootstrap and its listeners, one for each scenario. */
import { canonicalJson } from '../../src/config/canonical.ts'
import { moduleFile } from './module-files.ts'
import {
  CALLEE,
  configOf,
  isProbe,
  labelOf,
  type Numbered,
  REFUSED,
  type ScenarioPlugin,
  vmIdOf,
} from './scenario.ts'
import type { Upstreams } from './upstreams.ts'

const TYPE = 'type.googleapis.com/envoy'
const CONNECTION_MANAGER = `${TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`
const HTTP_OPTIONS = `${TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions`
const POLICIES = { FAIL_CLOSE: 'FAIL_CLOSED', FAIL_OPEN: 'FAIL_OPEN', FAIL_RELOAD: 'FAIL_RELOAD' }

const loopback = (port: number): object => ({
  socket_address: { address: '127.0.0.1', port_value: port },
})
const text = (value: string): object => ({
  '@type': 'type.googleapis.com/google.protobuf.StringValue',
  value,
})

/** @param listeners - path of the file with `envoyListeners` */
export function envoyBootstrap(
  scenarios: readonly Numbered[],
  upstreams: Upstreams,
  adminPort: number,
  listeners: string,
): object {
  const own = scenarios.map(({ id, plugins }) =>
    cluster(id, upstreams.origins.get(id)?.port ?? 0, bufferLimit(plugins)),
  )
  return {
    node: { id: 'node', cluster: 'cluster' },
    admin: { address: loopback(adminPort) },
    dynamic_resources: {
      lds_config: { resource_api_version: 'V3', path_config_source: { path: listeners } },
    },
    static_resources: {
      clusters: [
        ...own,
        cluster(CALLEE, upstreams.callee.port),
        cluster(REFUSED, upstreams.refusedPort),
      ],
    },
  }
}

function cluster(name: string, port: number, limit?: number): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '2s',
    ...(limit !== undefined && { per_connection_buffer_limit_bytes: limit }),
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: loopback(port) } }] }],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': HTTP_OPTIONS,
        explicit_http_config: { http_protocol_options: { enable_trailers: true } },
      },
    },
  }
}

/** The smallest limit of its plugins: Envoy has one for a connection. */
function bufferLimit(plugins: readonly ScenarioPlugin[]): number | undefined {
  const limits = plugins.flatMap(({ bodyBytes }) => bodyBytes ?? [])
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** @param ports - by the scenario's id */
export function envoyListeners(
  scenarios: readonly Numbered[],
  ports: ReadonlyMap<string, number>,
): object {
  const resources = scenarios.map((scenario) => {
    const limit = bufferLimit(scenario.plugins)
    return {
      '@type': `${TYPE}.config.listener.v3.Listener`,
      name: scenario.id,
      address: loopback(ports.get(scenario.id) ?? 0),
      // a gateway sees traffic on its way in
      traffic_direction: 'INBOUND',
      ...(limit !== undefined && { per_connection_buffer_limit_bytes: limit }),
      filter_chains: [{ filters: [{ name: 'http', typed_config: connectionManager(scenario) }] }],
    }
  })
  return { version_info: '1', resources }
}

/** As near to what Postern does by itself as options can bring it. */
function connectionManager(scenario: Numbered): object {
  const { id } = scenario
  return {
    '@type': CONNECTION_MANAGER,
    stat_prefix: id,
    codec_type: 'HTTP1',
    generate_request_id: false,
    server_header_transformation: 'PASS_THROUGH',
    http_protocol_options: { enable_trailers: true },
    route_config: {
      name: 'routes',
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            {
              name: `default/${id}`,
              match: { prefix: '/' },
              route: { cluster: id, timeout: '10s' },
            },
          ],
        },
      ],
    },
    http_filters: [
      // what Postern adds by itself, before any plugin
      headerMutation({ append: { header: { key: 'x-forwarded-for', value: '127.0.0.1' } } }),
      ...scenario.plugins.map((plugin, i) => filter(scenario, plugin, i)),
      {
        name: 'router',
        typed_config: {
          '@type': `${TYPE}.extensions.filters.http.router.v3.Router`,
          suppress_envoy_headers: true,
        },
      },
    ],
  }
}

function headerMutation(mutation: object): object {
  return {
    name: 'forwarded',
    typed_config: {
      '@type': `${TYPE}.extensions.filters.http.header_mutation.v3.HeaderMutation`,
      mutations: { request_mutations: [mutation] },
    },
  }
}

function filter(scenario: Numbered, plugin: ScenarioPlugin, index: number): object {
  const label = labelOf(index)
  const { vmConfiguration, env, capabilities } = plugin
  const restriction = capabilities?.map((name) => [name, {}] as const)
  return {
    name: label,
    typed_config: {
      '@type': `${TYPE}.extensions.filters.http.wasm.v3.Wasm`,
      config: {
        name: `default.${scenario.id}-${label}`,
        root_id: isProbe(plugin) ? label : '',
        failure_policy: POLICIES[plugin.failStrategy ?? 'FAIL_CLOSE'],
        allow_on_headers_stop_iteration: plugin.allowOnHeadersStopIteration ?? false,
        configuration: text(canonicalJson(configOf(scenario, plugin))),
        ...(restriction && {
          capability_restriction_config: { allowed_capabilities: Object.fromEntries(restriction) },
        }),
        vm_config: {
          vm_id: vmIdOf(scenario, plugin, index),
          runtime: 'envoy.wasm.runtime.v8',
          code: { local: { filename: moduleFile(plugin) } },
          ...(vmConfiguration !== undefined && { configuration: text(vmConfiguration) }),
          ...(env && { environment_variables: { key_values: env } }),
        },
      },
    },
  }
}
